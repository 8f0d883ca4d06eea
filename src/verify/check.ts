import { BucketwrightError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';

/** What a check may say when nothing was thrown: the one line of what was found. */
export type Verdict = string | Omit<Finding, 'id' | 'subject' | 'milliseconds'>;

export interface CheckFacts {
  readonly id: string;
  readonly subject: string;
  readonly expected: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do, where the error knows nothing better. */
  readonly advice?: string;
}

/** Runs one check and times it: a returned line is `ok`, a thrown error `fail` with the error's advice. */
export async function check(facts: CheckFacts, run: () => Promise<Verdict>): Promise<Finding> {
  const { id, subject, expected, why } = facts;
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  try {
    const verdict = await run();
    const finding = typeof verdict === 'string' ? { status: 'ok' as const, found: verdict } : verdict;
    return { id, subject, ...finding, milliseconds: elapsed() };
  } catch (error) {
    const found = error instanceof Error ? error.message : 'an unknown failure';
    const advice = (error instanceof BucketwrightError ? error.advice : undefined) ?? facts.advice;
    return { id, subject, status: 'fail', found, expected, why, advice, milliseconds: elapsed() };
  }
}

export function skipped(id: string, subject: string, reason: string): Finding {
  return { id, subject, status: 'skip', found: reason };
}

/** A check's own verdict that something is wrong; the message is what was found. */
export class CheckFailed extends BucketwrightError {
  readonly code = 'check-failed';
}
