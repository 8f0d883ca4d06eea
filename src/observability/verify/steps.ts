import { ClientError } from '../../client/errors.ts';
import type { Finding } from '../../core/finding.ts';
import { type CheckFacts, CheckFailed, check, skipped } from '../../verify/check.ts';
import { differences, type EffectiveStore } from './effective.ts';
import type { VerifyInput } from './input.ts';
import { newObjects } from './objects.ts';
import { ask, until } from './program.ts';
import type { StoreState } from './store.ts';

type Program = 'loki' | 'tempo';

/** Loki is unready for its first 15 seconds, so both get a while. */
export function ready(program: Program, url: string): Promise<Finding> {
  const facts = {
    id: `${program}-ready`,
    subject: url,
    expected: '/ready answers 200',
    why: 'nothing is taken or found without it',
  };
  return check(facts, async () => {
    let last: unknown;
    const answer = await until(20_000, async () => {
      try {
        return await ask(`${url}/ready`);
      } catch (error) {
        last = error;
        // Whoever does not answer at all will not in 20 seconds either.
        if (error instanceof Error && 'code' in error && error.code === 'no-answer') throw error;
        return undefined;
      }
    });
    if (answer === undefined) throw last instanceof Error ? last : new CheckFailed(`${url}/ready answers 404`);
    return 'ready';
  });
}

/** What the running program says about its store, beside the settings. */
export function settingsAgree(
  program: Program,
  input: VerifyInput,
  store: () => Promise<EffectiveStore | undefined>,
): Promise<Finding> {
  const facts = {
    id: `${program}-settings`,
    subject: input[program],
    expected: 'the store, bucket and prefix of the settings',
    why: 'its objects are not where they are looked for, backed up and paid for',
    advice: `render its configuration again (bucketwright render ${program}) and restart it, or correct the settings`,
  };
  return check(facts, async () => {
    const effective = await store();
    if (effective === undefined) {
      return { status: 'skip', found: 'it does not tell its configuration' };
    }
    const lines = differences(effective, input.connection, input.buckets[program]);
    if (lines.length > 0) throw new CheckFailed(lines.join('; '));
    const { bucket, prefix } = input.buckets[program];
    return effective.kind === 's3' ? `it writes to ${bucket}/${prefix}` : 'it writes to its disk';
  });
}

export interface ObjectsStep {
  readonly program: Program;
  readonly input: VerifyInput;
  readonly state: StoreState | undefined;
  /** Below the program's prefix: the tenant's folder, with a slash. */
  readonly tenant: string;
  /** Folders that were there before the push. */
  readonly before: ReadonlySet<string>;
  readonly counts: (key: string) => boolean;
  /** Why there may be none, asked when there are none. */
  readonly evidence: () => Promise<string>;
}

export async function objectsAppear(step: ObjectsStep): Promise<Finding> {
  const { program, input, state, tenant, before } = step;
  const { bucket, prefix } = input.buckets[program];
  const folder = `${prefix}${tenant}`;
  const facts: CheckFacts = {
    id: `${program}-objects`,
    subject: `${bucket}/${folder}`,
    expected: `a new object below ${folder}`,
    why: 'what is pushed stays on the local disk, or in memory, and is lost with it',
    advice: `compare bucket, prefix, endpoint and keys of ${program} with the settings; its log names the error`,
  };
  if (state === undefined) return skipped(facts.id, facts.subject, 'no S3 setting: objects stay on the disk');
  const broken = state.broken(input.buckets[program]);
  if (broken !== undefined) return skipped(facts.id, facts.subject, `not looked for: ${broken}`);
  return check(facts, async () => {
    let away: ClientError | undefined;
    const keys = await until(input.wait, async () => {
      try {
        const found = await newObjects(state.client, bucket, folder, before, step.counts);
        away = undefined;
        return found;
      } catch (error) {
        // A store that is restarted meanwhile is no reason to give up before the time has run out.
        if (!(error instanceof ClientError && error.code === 'unreachable')) throw error;
        away = error;
        return undefined;
      }
    });
    if (away !== undefined) throw away;
    if (keys !== undefined) return `${keys.length} new, such as ${keys.find(step.counts) ?? ''}`;
    throw new CheckFailed(`no new object within ${Math.round(input.wait / 1000)} s; ${await step.evidence()}`);
  });
}
