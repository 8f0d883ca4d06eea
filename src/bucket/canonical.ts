import type { CorsRule, LifecycleRule, PolicyDocument, Tags, Transition } from './model.ts';
import { canonicalPolicy } from './policy-meaning.ts';

/**
 * One form for all spellings of one meaning. Providers sort rules, add empty elements and rewrite lists; two values mean
 * the same when their canonical forms are equal as text.
 */
export function canonicalLifecycle(rules: readonly LifecycleRule[]): readonly LifecycleRule[] {
  return rules.map(canonicalRule).sort((a, b) => compareText(a.id, b.id));
}

export function canonicalRule(rule: LifecycleRule): LifecycleRule {
  const { id, enabled, prefix } = rule;
  return compact({
    id,
    enabled,
    prefix,
    tags: sortedTags(rule.tags),
    largerThan: rule.largerThan,
    smallerThan: rule.smallerThan,
    expireDays: rule.expireDays,
    expireOn: rule.expireOn,
    expireDeleteMarkers: rule.expireDeleteMarkers === true ? true : undefined,
    noncurrentDays: rule.noncurrentDays,
    noncurrentKeep: rule.noncurrentKeep,
    abortUploadsDays: rule.abortUploadsDays,
    transitions: canonicalTransitions(rule.transitions),
    noncurrentTransitions: canonicalTransitions(rule.noncurrentTransitions),
    unknown: rule.unknown === undefined || rule.unknown.length === 0 ? undefined : rule.unknown.toSorted(),
  });
}

function canonicalTransitions(list: readonly Transition[] | undefined): readonly Transition[] | undefined {
  if (list === undefined || list.length === 0) return undefined;
  return list
    .map(({ days, on, storageClass, keep }) => compact({ days, on, storageClass, keep }))
    .sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
}

/** The order of rules matters (the first that fits wins); that of the words within one does not. */
export function canonicalCors(rules: readonly CorsRule[]): readonly CorsRule[] {
  return rules.map(({ id, origins, methods, headers, exposeHeaders, maxAgeSeconds }) =>
    compact({
      id: id === '' ? undefined : id,
      origins: distinct(origins),
      methods: distinct(methods),
      headers: distinct(headers.map((name) => name.toLowerCase())),
      exposeHeaders: distinct(exposeHeaders.map((name) => name.toLowerCase())),
      maxAgeSeconds,
    }),
  );
}

export function sortedTags(tags: Tags): Tags {
  return Object.fromEntries(Object.entries(tags).sort(([a], [b]) => compareText(a, b)));
}

/** Whether two policies mean the same, however they are written. */
export function samePolicy(a: PolicyDocument, b: PolicyDocument): boolean {
  return JSON.stringify(canonicalPolicy(a)) === JSON.stringify(canonicalPolicy(b));
}

/** Without the members that are undefined. */
export function compact<T extends object>(value: T): T {
  const result = { ...value };
  for (const [key, member] of Object.entries(result)) if (member === undefined) Reflect.deleteProperty(result, key);
  return result;
}

const distinct = (list: readonly string[]): string[] => [...new Set(list)].sort(compareText);

/** By code unit: the same everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
