import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Why no terminal can be had, or undefined where one can: `script` of util-linux makes them. */
export const terminalMissing = (): string | undefined =>
  existsSync('/usr/bin/script') ? undefined : 'script: not installed (util-linux)';

export interface TerminalRun {
  readonly code: number | null;
  /** Both outputs and what was typed, as somebody before it would see it. */
  readonly screen: string;
}

/**
 * Runs a program on a terminal of its own and types an answer whenever its question has appeared, in this order.
 * @param answers what must be on the screen, and what is then typed, without the line's end
 */
export function runOnTerminal(
  command: readonly string[],
  answers: readonly (readonly [question: RegExp, answer: string])[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly timeoutMs?: number },
): Promise<TerminalRun> {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['-qec', quoted, '/dev/null'], {
      cwd: options.cwd,
      env: { ...options.env, TERM: 'dumb', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    let screen = '';
    let answered = 0;
    let from = 0;
    child.stdout.on('data', (part: Buffer) => {
      screen += part.toString('utf8');
      const [question, answer] = answers[answered] ?? [];
      if (question === undefined || !question.test(screen.slice(from))) return;
      answered += 1;
      from = screen.length;
      child.stdin.write(`${answer}\n`);
    });
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (answered === answers.length) resolve({ code, screen });
      else reject(new Error(`question ${answered + 1} was never asked:\n${screen}`));
    });
  });
}
