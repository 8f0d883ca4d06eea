import { DAY } from '../../core/durations.ts';
import type { Tags } from '../port.ts';
import type { LifecycleRule, LifecycleRules } from './rules.ts';

/** What a rule looks at. */
export interface Subject {
  readonly key: string;
  readonly size: number;
  readonly tags: Tags;
}

/** A moment, in milliseconds since 1970, and the rule that sets it. */
export interface Due {
  readonly at: number;
  readonly ruleId: string;
}

/**
 * Days after a moment, as S3 counts: rounded up to the next midnight UTC.
 * @param dayLength milliseconds that count as a day; any but a real day is for tests, and is not rounded
 */
export function daysAfter(moment: number, days: number, dayLength = DAY): number {
  const at = moment + days * dayLength;
  return dayLength === DAY ? Math.ceil(at / DAY) * DAY : at;
}

/** When the current version of an object expires; undefined: never. Of several rules, the earliest counts. */
export function expirationOf(
  rules: LifecycleRules,
  object: Subject & { readonly modified: number },
  dayLength = DAY,
): Due | undefined {
  return earliest(rules, ({ enabled, expiration, ...rule }) => {
    if (!enabled || expiration === undefined || !matches(rule, object)) return undefined;
    if ('days' in expiration) return daysAfter(object.modified, expiration.days, dayLength);
    return 'date' in expiration ? expiration.date : undefined;
  });
}

/**
 * When a delete marker goes that is all there is of its object: at once where a rule wants that, else when the object
 * would have expired. It has no size and no tags, so rules that ask for those do not see it.
 */
export function markerExpirationOf(
  rules: LifecycleRules,
  marker: { readonly key: string; readonly modified: number },
  dayLength = DAY,
): Due | undefined {
  return earliest(rules, ({ enabled, expiration, filter }) => {
    if (!enabled || expiration === undefined || asksForMore(filter) || !hasPrefix(filter, marker.key)) return undefined;
    if ('days' in expiration) return daysAfter(marker.modified, expiration.days, dayLength);
    if ('date' in expiration) return expiration.date;
    return expiration.expiredObjectDeleteMarker ? marker.modified : undefined;
  });
}

export interface Noncurrent extends Subject {
  /** When the version after it was stored. */
  readonly since: number;
  /** How many noncurrent versions of the object are newer. */
  readonly newer: number;
  readonly deleteMarker: boolean;
}

/** When a version that is not current goes. */
export function noncurrentExpirationOf(rules: LifecycleRules, version: Noncurrent, dayLength = DAY): Due | undefined {
  return earliest(rules, ({ enabled, noncurrentExpiration: wanted, filter }) => {
    if (!enabled || wanted === undefined) return undefined;
    if (version.deleteMarker ? asksForMore(filter) || !hasPrefix(filter, version.key) : !matches({ filter }, version)) {
      return undefined;
    }
    if (version.newer < (wanted.newerVersions ?? 0)) return undefined;
    return daysAfter(version.since, wanted.days, dayLength);
  });
}

/** When an upload that was not completed is aborted. */
export function abortOf(
  rules: LifecycleRules,
  upload: { readonly key: string; readonly initiated: number },
  dayLength = DAY,
): Due | undefined {
  return earliest(rules, ({ enabled, abortUploadAfter, filter }) => {
    if (!enabled || abortUploadAfter === undefined || !hasPrefix(filter, upload.key)) return undefined;
    return daysAfter(upload.initiated, abortUploadAfter, dayLength);
  });
}

function earliest(rules: LifecycleRules, at: (rule: LifecycleRule) => number | undefined): Due | undefined {
  let first: Due | undefined;
  for (const rule of rules) {
    const moment = at(rule);
    if (moment !== undefined && (first === undefined || moment < first.at)) first = { at: moment, ruleId: rule.id };
  }
  return first;
}

type Filter = LifecycleRule['filter'];

function matches({ filter }: { readonly filter: Filter }, { key, size, tags }: Subject): boolean {
  if (!hasPrefix(filter, key)) return false;
  if (filter.sizeGreaterThan !== undefined && size <= filter.sizeGreaterThan) return false;
  if (filter.sizeLessThan !== undefined && size >= filter.sizeLessThan) return false;
  return (filter.tags ?? []).every(([name, value]) => tags.some((tag) => tag[0] === name && tag[1] === value));
}

function hasPrefix({ prefix }: Filter, key: string): boolean {
  return prefix === undefined || key.startsWith(prefix);
}

function asksForMore({ tags, sizeGreaterThan, sizeLessThan }: Filter): boolean {
  return (tags ?? []).length > 0 || sizeGreaterThan !== undefined || sizeLessThan !== undefined;
}
