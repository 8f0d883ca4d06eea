import { stringify } from 'yaml';
import { type CorsRule, compact, type LifecycleRule, type ObjectLock, type Transition } from '../bucket/index.ts';
import type { LiveBucket } from './actual.ts';
import { OUR_RULES } from './desired.ts';

export interface Imported {
  /** The text of a `buckets` section. */
  readonly yaml: string;
  /** What could not be written down, for people. */
  readonly notes: readonly string[];
}

/**
 * Live buckets as the manifest writes them, so that a plan with it says "No changes". Reads nothing and writes nothing.
 */
export function importBuckets(buckets: readonly LiveBucket[]): Imported {
  const notes: string[] = [];
  const entries = buckets.map((bucket) => {
    for (const [attribute, error] of bucket.unreadable) {
      notes.push(`${bucket.name}: ${attribute} could not be read (${error.code}) and is left out`);
    }
    const { versioning, objectLock, encryption, tags, cors, lifecycle, publicAccessBlock, policy } =
      bucket.configuration;
    const rules = lifecycle?.filter(({ id, unknown }) => {
      if (unknown === undefined) return !id.startsWith(OUR_RULES);
      notes.push(`${bucket.name}: lifecycle rule ${id} holds ${unknown.join(', ')} and is left out`);
      return false;
    });
    const entry = compact({
      name: bucket.name,
      versioning: versioning === 'off' ? undefined : versioning,
      objectLock: objectLock?.enabled === true ? lockEntry(objectLock) : undefined,
      encryption,
      tags,
      cors: cors?.map(corsEntry),
      lifecycle: rules === undefined || rules.length === 0 ? undefined : rules.map(ruleEntry),
      publicAccessBlock,
      policy,
    });
    return Object.keys(entry).length === 1 ? bucket.name : entry;
  });
  // A long policy value folded over lines would be hard to find again.
  return { yaml: stringify({ buckets: entries }, { lineWidth: 0, aliasDuplicateObjects: false }), notes };
}

const lockEntry = ({ retention }: ObjectLock) => retention ?? true;

const days = (count: number | undefined): string | undefined => (count === undefined ? undefined : `${count}d`);

function ruleEntry(rule: LifecycleRule): object {
  return compact({
    id: rule.id,
    enabled: rule.enabled ? undefined : false,
    prefix: rule.prefix === '' ? undefined : rule.prefix,
    tags: Object.keys(rule.tags).length === 0 ? undefined : rule.tags,
    largerThan: rule.largerThan,
    smallerThan: rule.smallerThan,
    expireAfter: days(rule.expireDays),
    expireOn: rule.expireOn,
    expireDeleteMarkers: rule.expireDeleteMarkers,
    noncurrentAfter: days(rule.noncurrentDays),
    noncurrentKeep: rule.noncurrentKeep,
    abortUploadsAfter: days(rule.abortUploadsDays),
    transitions: rule.transitions?.map(transitionEntry),
    noncurrentTransitions: rule.noncurrentTransitions?.map(transitionEntry),
  });
}

function transitionEntry({ days: count, on, storageClass, keep }: Transition): object {
  return compact({ after: days(count), on, storageClass, keep });
}

function corsEntry({ id, origins, methods, headers, exposeHeaders, maxAgeSeconds }: CorsRule): object {
  return compact({
    id,
    origins,
    methods,
    headers: headers.length === 0 ? undefined : headers,
    exposeHeaders: exposeHeaders.length === 0 ? undefined : exposeHeaders,
    maxAge: maxAgeSeconds === undefined ? undefined : `${maxAgeSeconds}s`,
  });
}
