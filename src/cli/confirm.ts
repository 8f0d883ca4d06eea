import { createInterface } from 'node:readline/promises';
import type { CliContext } from './context.ts';

/** Whether somebody sits there who can be asked. */
export const canAsk = (context: CliContext): boolean => process.stdin.isTTY === true && context.err.isTTY === true;

/** One line of answer, trimmed; empty at the end of input. The question goes to standard error. */
export async function ask(question: string, context: CliContext): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: context.err });
  const closed = new AbortController();
  lines.once('close', () => closed.abort());
  try {
    return (await lines.question(question, { signal: closed.signal })).trim();
  } catch {
    // Ctrl-D and Ctrl-C are answers, too: no.
    return '';
  } finally {
    lines.close();
  }
}
