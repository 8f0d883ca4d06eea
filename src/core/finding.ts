/**
 * The result of one check. verify, doctor, audits and fsck all answer a list of these; the terminal, `--json` and the
 * console render the same shape.
 */
export interface Finding {
  /** Stable and kebab-case, such as `bucket-listable`. */
  readonly id: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was looked at: an endpoint, a bucket, a file. */
  readonly subject: string;
  /** One line: what was found. Never a secret. */
  readonly found: string;
  readonly expected?: string | undefined;
  /** Why it matters, when it is not `ok`. */
  readonly why?: string | undefined;
  /** What to do about it, when it is not `ok`. */
  readonly advice?: string | undefined;
  readonly milliseconds?: number | undefined;
}
