import { harmOf } from '../../bucket/index.ts';
import type { Finding } from '../../core/finding.ts';
import { Checklist, type Complaint } from './checklist.ts';

/** The parts of a bucket's lifecycle rule that can do harm or are missed. */
export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  /** Empty: the whole bucket. */
  readonly prefix: string;
  /** Objects of this age in days are deleted. */
  readonly expirationDays: number | undefined;
  /** `YYYY-MM-DD`: objects are deleted on this day. */
  readonly expirationDate?: string | undefined;
  /** Days after which an unfinished multipart upload is removed. */
  readonly abortUploadsDays: number | undefined;
}

export interface LifecycleCheck {
  readonly program: 'loki' | 'tempo';
  readonly bucket: string;
  /** Of the program in the bucket, without slashes at the ends. */
  readonly prefix: string;
  readonly rules: readonly LifecycleRule[];
  /** Milliseconds. */
  readonly retention: number;
}

/**
 * Judges the rules of a bucket. The programs delete what is too old themselves; a rule that deletes behind their back
 * destroys an index or half a block. Only Loki's chunks may have one, as a safety net.
 */
export function checkLifecycle(input: LifecycleCheck): Finding[] {
  const list = new Checklist(input.program, `bucket ${input.bucket}`);
  for (const rule of input.rules.filter(
    ({ enabled, expirationDays, expirationDate }) =>
      enabled && (expirationDays !== undefined || expirationDate !== undefined),
  )) {
    list.check('lifecycle', `rule ${rule.id} is late enough and hits only chunks`, harm(input, rule));
  }
  const aborts = input.rules.some(
    ({ enabled, abortUploadsDays, prefix }) =>
      enabled && abortUploadsDays !== undefined && covers(prefix, input.prefix),
  );
  list.check(
    'abandoned-uploads',
    'abandoned multipart uploads are removed',
    aborts
      ? undefined
      : {
          status: 'warn',
          found: 'no rule removes abandoned multipart uploads',
          why: 'parts of uploads that a crash cut short stay, invisible in listings, and cost',
          advice: 'add a rule with AbortIncompleteMultipartUpload after 1 to 7 days',
        },
  );
  return list.findings;
}

const withSlash = (prefix: string) => (prefix === '' ? '' : `${prefix}/`);

/** Whether a rule on `rulePrefix` reaches everything of the program. */
const covers = (rulePrefix: string, prefix: string) => withSlash(prefix).startsWith(rulePrefix);

function harm({ program, prefix, retention }: LifecycleCheck, rule: LifecycleRule): Complaint | undefined {
  const expires = { ...rule, expireDays: rule.expirationDays, expireOn: rule.expirationDate };
  return harmOf(expires, { use: program, prefix: withSlash(prefix), retention });
}
