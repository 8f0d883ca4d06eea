import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

/** Why a plan cannot be made or carried out for one bucket. */
export interface PlanProblem {
  readonly kind: /** The provider cannot do it. */
    | 'unsupported'
    /** The key may not look, or not change. */
    | 'denied'
    /** The name belongs to another account. */
    | 'taken'
    /** The bucket's state does not allow it any more. */
    | 'impossible'
    /** A policy that would shut us out, or means nothing. */
    | 'policy'
    /** The provider's answer cannot be understood. */
    | 'answer';
  readonly bucket: string;
  readonly problem: string;
  /** The nearest thing that can be done. */
  readonly advice: string;
}

/** All that keeps a plan from being made, at once; nothing was changed. */
export class PlanProblemsError extends BucketwrightError {
  readonly code = 'plan-problems';
  readonly problems: readonly PlanProblem[];

  constructor(problems: readonly PlanProblem[]) {
    super(problems.map(({ bucket, problem }) => `${bucket}: ${problem}`).join('\n'), {
      subject: [...new Set(problems.map(({ bucket }) => bucket))].join(', '),
      advice: 'nothing was changed',
    });
    this.problems = problems;
  }
}

export type ProvisionErrorCode =
  /** What was written does not read back the same. */
  | 'not-kept'
  /** The policy would shut the acting key out. */
  | 'lockout'
  /** The saved plan is no plan, or was changed. */
  | 'plan-file'
  /** The buckets or the manifest are not what they were when the plan was saved. */
  | 'world-moved'
  | 'bucket-not-empty'
  /** The answer at the terminal, or the flag, does not confirm. */
  | 'not-confirmed';

export class ProvisionError extends BucketwrightError {
  readonly code: ProvisionErrorCode;

  constructor(code: ProvisionErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
