import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE, SECOND } from '../../core/durations.ts';
import { BucketwrightError, systemErrorCode } from '../../core/errors.ts';

/** A program of the stack did not answer, or answered that it will not. */
export class ProgramError extends BucketwrightError {
  readonly code: 'no-answer' | 'refused';

  constructor(code: ProgramError['code'], message: string, advice: string) {
    super(message, { advice });
    this.code = code;
  }
}

export interface Request {
  readonly method?: 'GET' | 'POST';
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const longestAnswer = 8_000_000;

/**
 * One request to Loki, Tempo or a collector, at most ten seconds.
 * @throws ProgramError `no-answer`, or `refused` for any status but 2xx and 404
 * @returns the body; undefined for a 404
 */
export async function ask(url: string, request: Request = {}): Promise<string | undefined> {
  const { method = 'GET', json, headers } = request;
  const type = json === undefined ? {} : { 'content-type': 'application/json' };
  let status: number;
  let text: string;
  try {
    const answer = await fetch(url, {
      method,
      headers: { accept: 'application/json, text/plain', ...type, ...headers },
      body: json === undefined ? null : JSON.stringify(json),
      redirect: 'error',
      signal: AbortSignal.timeout(10 * SECOND),
    });
    status = answer.status;
    text = (await answer.text()).slice(0, longestAnswer);
  } catch (error) {
    throw new ProgramError('no-answer', `${url} does not answer (${reason(error)})`, 'is it running, on this address?');
  }
  if (status === 404) return undefined;
  if (status >= 200 && status < 300) return text;
  const said = text.trim().split('\n')[0]?.slice(0, 200) ?? '';
  throw new ProgramError('refused', `${url} answers ${status}: ${said}`, 'see the log of the program');
}

function reason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return systemErrorCode(cause) ?? (cause instanceof Error ? cause.message : 'unknown');
}

/** Asks again once a second until there is a value. @returns undefined when the time ran out */
export async function until<T>(milliseconds: number, probe: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + Math.min(milliseconds, 30 * MINUTE);
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() >= deadline) return undefined;
    await sleep(1 * SECOND);
  }
}

/** The sum of a counter over all its series on a Prometheus page whose labels hold `having`; 0 where there is none. */
export function counter(page: string, name: string, having = ''): number {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines
    .filter((line) => line.includes(having))
    .map((line) => Number(line.trim().split(/\s+/).at(-1)))
    .filter(Number.isFinite)
    .reduce((sum, value) => sum + value, 0);
}
