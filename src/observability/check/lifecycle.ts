import { DAY, formatDuration, HOUR } from '../../core/durations.ts';
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

/** Loki's `retention_delete_delay` as it is rendered; Tempo's `compacted_block_retention` by default. */
const delay = { loki: 2 * HOUR, tempo: 1 * HOUR } as const;

/**
 * Judges the rules of a bucket. The programs delete what is too old themselves; a rule that deletes behind their back
 * destroys an index or half a block. Only Loki's chunks may have one, as a safety net.
 */
export function checkLifecycle(input: LifecycleCheck): Finding[] {
  const list = new Checklist(input.program, `bucket ${input.bucket}`);
  for (const rule of input.rules.filter(({ enabled, expirationDays }) => enabled && expirationDays !== undefined)) {
    list.check('lifecycle', `rule ${rule.id} is late enough and hits only chunks`, judge(input, rule));
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

function judge({ program, prefix, retention }: LifecycleCheck, rule: LifecycleRule): Complaint | undefined {
  const root = withSlash(prefix);
  const elsewhere = !rule.prefix.startsWith(root) && !root.startsWith(rule.prefix);
  if (elsewhere) return undefined;
  const days = rule.expirationDays ?? 0;
  const what = `rule ${rule.id} deletes ${rule.prefix === '' ? 'everything' : rule.prefix} after ${days} days`;
  if (program === 'tempo') {
    return {
      found: what,
      why: 'the files of a block age apart from each other and from the list of blocks: queries fail half-way',
      advice: 'remove the rule: Tempo deletes blocks itself (backend_worker.compaction.block_retention)',
    };
  }
  // A tenant's chunks: the one folder below the prefix that is not the index or the marks of the compactor.
  const below = rule.prefix.startsWith(root) ? rule.prefix.slice(root.length) : '';
  const tenant = /^([^/]+)\/$/.exec(below)?.[1];
  const reserved = tenant === 'index' || tenant === 'rules' || tenant === 'delete_requests' || tenant === 'retention';
  if (tenant === undefined || reserved) {
    return {
      found: what,
      why: 'it hits more than chunks: the index, delete requests or the cluster seed, without which all logs are lost to queries',
      advice: `remove it, or give it the prefix ${root}fake/ (the tenant’s chunks) alone`,
    };
  }
  const least = retention + delay.loki;
  return days * DAY > least
    ? undefined
    : {
        found: what,
        expected: `more than ${formatDuration(least)}`,
        why: 'chunks go while the index still names them: queries fail',
        advice: `set it to ${Math.floor(least / DAY) + 1} days or more, or remove it: the compactor deletes logs`,
      };
}
