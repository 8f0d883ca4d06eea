/**
 * Every error a person may see carries identity: a stable code to switch on, the subject it is about, and advice.
 * Errors are never told apart by their message. Boundaries translate once: `s3/errors.ts` to S3 codes, `cli/exit.ts`
 * to exit codes.
 */
export interface ErrorDetails {
  /** What the error is about: a setting, bucket, key, file or endpoint. Never a secret. */
  readonly subject?: string | undefined;
  /** One line that says what the reader can do now. */
  readonly advice?: string | undefined;
  readonly cause?: unknown;
}

export abstract class BucketwrightError extends Error {
  /** Stable across releases; switch on this. */
  abstract readonly code: string;
  readonly subject: string | undefined;
  readonly advice: string | undefined;
  /**
   * Whether errors of this class say where they were made. Refusals that a server answers by the thousand do not: a stack
   * costs more than the rest of such an answer, and code and subject tell as much.
   */
  static readonly traced: boolean = true;

  constructor(message: string, details: ErrorDetails = {}) {
    const limit = Error.stackTraceLimit;
    if (!new.target.traced) Error.stackTraceLimit = 0;
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    Error.stackTraceLimit = limit;
    this.name = new.target.name;
    this.subject = details.subject;
    this.advice = details.advice;
  }
}

/** The caller's words are wrong: an unknown option, a value outside its range. */
export class UsageError extends BucketwrightError {
  readonly code = 'usage';
}

/** A process or file of the host is not as it must be (a port taken, a directory held by someone else). */
export class HostError extends BucketwrightError {
  readonly code: 'address-in-use' | 'data-directory-held' | 'data-directory-format' | 'permission' | 'host';

  constructor(code: HostError['code'], message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}

/** Exhaustiveness check for closed unions: a new member fails to compile until its case is written. */
export function unreachable(value: never): never {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
}

/** The `code` of a Node.js system error (`ENOENT`, `ENOSPC` …), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
