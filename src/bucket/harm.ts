import { DAY, formatDuration, HOUR } from '../core/durations.ts';
import type { LifecycleRule } from './model.ts';

/** Where a program keeps objects that depend on each other. */
export interface Dependent {
  readonly use: 'loki' | 'tempo' | 'backup' | 'artifacts';
  /** Empty, or with one slash at the end. */
  readonly prefix: string;
  /** Milliseconds that the program itself keeps what it stores, where it has such a limit. */
  readonly retention: number | undefined;
}

export interface Harm {
  /** One line: what the rule does. */
  readonly found: string;
  readonly expected?: string;
  readonly why: string;
  readonly advice: string;
}

/** Between the moment Loki's compactor marks chunks and deletes them: `retention_delete_delay` as it is rendered. */
const LOKI_DELAY = 2 * HOUR;

/** Whole days that a rule on Loki's chunks must exceed: retention and delay, rounded up, and a day of margin. */
export function chunkSafetyDays(retention: number): number {
  return Math.ceil((retention + LOKI_DELAY) / DAY) + 1;
}

/** Folders below Loki's prefix that are no tenant's chunks. */
const lokiFolders = new Set(['index', 'rules', 'delete_requests', 'retention']);

/**
 * What a lifecycle rule breaks of a program that deletes for itself; undefined: nothing. A rule that deletes behind its
 * back destroys an index, half a block or what two backups share. Only Loki's chunks may have one, as a safety net.
 * @param rule only enabled rules do harm, and only by expiring current objects
 */
export function harmOf(
  rule: Pick<LifecycleRule, 'id' | 'enabled' | 'prefix' | 'expireDays' | 'expireOn'>,
  { use, prefix: root, retention }: Dependent,
): Harm | undefined {
  const { id, prefix, expireDays, expireOn } = rule;
  if (!rule.enabled || (expireDays === undefined && expireOn === undefined)) return undefined;
  const elsewhere = !prefix.startsWith(root) && !root.startsWith(prefix);
  if (elsewhere) return undefined;
  const when = expireDays === undefined ? `on ${expireOn}` : `after ${expireDays} days`;
  const found = `rule ${id} deletes ${prefix === '' ? 'everything' : prefix} ${when}`;
  switch (use) {
    case 'tempo':
      return {
        found,
        why: 'the files of a block age apart from each other and from the list of blocks: queries fail half-way',
        advice: 'remove the rule: Tempo deletes blocks itself (backend_worker.compaction.block_retention)',
      };
    case 'backup':
      return {
        found,
        why: 'backups share what did not change: a rule by age takes from the newest what the oldest brought',
        advice: 'remove the rule: pruning backups removes what no backup needs',
      };
    case 'artifacts':
      return {
        found,
        why: 'versions share blobs, and channels keep naming old ones: a rule by age breaks downloads',
        advice: 'remove the rule, or give it a prefix outside the artifacts',
      };
    case 'loki':
      return chunkHarm({ found, prefix, root, retention: retention ?? 0, expireDays });
  }
}

function chunkHarm(about: {
  readonly found: string;
  readonly prefix: string;
  readonly root: string;
  readonly retention: number;
  readonly expireDays: number | undefined;
}): Harm | undefined {
  const { found, prefix, root, expireDays } = about;
  // A tenant's chunks: the one folder below the prefix that is not the index or the marks of the compactor.
  const tenant = /^([^/]+)\/$/.exec(prefix.startsWith(root) ? prefix.slice(root.length) : '')?.[1];
  if (tenant === undefined || lokiFolders.has(tenant)) {
    return {
      found,
      why: 'it hits more than chunks: the index, delete requests or the cluster seed, without which all logs are lost to queries',
      advice: `remove it, or give it the prefix ${root}fake/ (the tenant’s chunks) alone`,
    };
  }
  const least = about.retention + LOKI_DELAY;
  if (expireDays !== undefined && expireDays * DAY > least) return undefined;
  return {
    found,
    expected: `more than ${formatDuration(least)}`,
    why: 'chunks go while the index still names them: queries fail',
    advice: `set it to ${Math.floor(least / DAY) + 1} days or more, or remove it: the compactor deletes logs`,
  };
}
