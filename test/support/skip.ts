import { describe } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why this suite or test is skipped; printed at the end of the run. */
    skipReason?: string;
    /** The environment variable that switches it on, for what no machine can be expected to have. */
    skipVariable?: string;
  }
}

export interface SkipOptions {
  /**
   * Name of the environment variable that switches the tests on, such as `LOKI_BIN`. Only skips that name one survive
   * `script/test --no-skips`; all others are something the machine could and should have.
   */
  readonly variable?: string;
}

type DescribeSuite = (name: string, body: () => void) => void;

/**
 * `describe` where `condition` holds; otherwise the same suite skipped, its reason recorded for the reporter, so that a
 * missing real part is counted and named rather than silently absent.
 */
export function skipUnless(condition: boolean, reason: string, options: SkipOptions = {}): DescribeSuite {
  if (condition) return (name, body) => void describe(name, body);
  const meta = { skipReason: reason, ...(options.variable === undefined ? {} : { skipVariable: options.variable }) };
  return (name, body) => void describe(name, { skip: true, meta }, body);
}
