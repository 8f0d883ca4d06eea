import { BucketwrightError } from '../core/errors.ts';

/** One thing that is wrong with one setting. */
export interface SettingProblem {
  /** The setting's name (its environment variable), or where in bucketwright.yaml the problem is. */
  readonly name: string;
  /** Where the value came from, for people. */
  readonly origin: string;
  /** What is wrong. Never holds the value of a secret. */
  readonly problem: string;
  readonly example: string | undefined;
}

/** All that is wrong with the settings, at once. */
export class SettingsError extends BucketwrightError {
  readonly code = 'settings';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    super(problems.map(formatProblem).join('\n'), {
      subject: problems.map(({ name }) => name).join(', '),
      advice: 'docs/reference/settings.md lists every setting; `bucketwright config show` prints the effective ones',
    });
    this.problems = problems;
  }
}

export function formatProblem({ name, origin, problem, example }: SettingProblem): string {
  return `${name} (${origin}): ${problem}${example === undefined ? '' : `; for example ${example}`}`;
}
