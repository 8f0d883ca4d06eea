import { type Dependent, harmOf } from '../../bucket/index.ts';
import { DAY, formatDuration } from '../../core/durations.ts';
import { type BucketTarget, type Use, uses } from '../buckets.ts';
import type { SettingProblem } from '../errors.ts';
import type { Manifest, ManifestBucket, ManifestTenant } from './model.ts';

export interface CrossCheckInput {
  readonly manifest: Manifest;
  readonly buckets: Readonly<Record<Use, BucketTarget>>;
  /** Milliseconds; undefined: that setting is broken, and said elsewhere. */
  readonly retention: { readonly logs: number | undefined; readonly traces: number | undefined };
}

/** What is wrong between parts of the manifest that are each right: all of it at once. */
export function crossCheck(input: CrossCheckInput, problems: SettingProblem[]): void {
  for (const bucket of input.manifest.buckets) checkRules(bucket, input, problems);
  for (const bucket of input.manifest.buckets) checkLock(bucket, input, problems);
  for (const [index, tenant] of input.manifest.tenants.entries()) {
    checkTenant(tenant, input.manifest.tenants.slice(0, index), input, problems);
  }
}

/** Whether anything of the stack lives there: backups and artifacts only once their bucket is named. */
const isUsed = (use: Use, { explicit }: BucketTarget) => explicit || use === 'loki' || use === 'tempo';

function checkRules(bucket: ManifestBucket, input: CrossCheckInput, problems: SettingProblem[]): void {
  const rules = bucket.configuration.lifecycle;
  if (rules === undefined || rules === 'none') return;
  for (const use of uses) {
    const target = input.buckets[use];
    if (target.bucket !== bucket.name || !isUsed(use, target)) continue;
    const { logs, traces } = input.retention;
    if ((use === 'loki' ? logs : traces) === undefined) continue;
    const retention = { loki: logs, tempo: traces, backup: undefined, artifacts: undefined }[use];
    const dependent: Dependent = { use, prefix: target.prefix, retention };
    for (const rule of rules) {
      const harm = harmOf(rule, dependent);
      if (harm === undefined) continue;
      problems.push({
        name: `buckets ${bucket.name} lifecycle ${rule.id}`,
        origin: bucket.ruleOrigins.get(rule.id) ?? bucket.origin,
        problem: `${harm.found}, where ${use} keeps its objects: ${harm.why}; ${harm.advice}`,
        example: undefined,
      });
    }
  }
}

/** An object that is locked for longer than its program keeps it can never be deleted in time. */
function checkLock(bucket: ManifestBucket, input: CrossCheckInput, problems: SettingProblem[]): void {
  const lock = bucket.configuration.objectLock;
  const retention = lock === undefined || lock === 'none' ? undefined : lock.retention;
  if (retention === undefined) return;
  const locked = (retention.days ?? (retention.years ?? 0) * 365) * DAY;
  for (const [use, kept] of [
    ['loki', input.retention.logs],
    ['tempo', input.retention.traces],
  ] as const) {
    if (input.buckets[use].bucket !== bucket.name || kept === undefined || locked <= kept) continue;
    const name = use === 'loki' ? 'retention.logs' : 'retention.traces';
    problems.push({
      name: `buckets ${bucket.name} objectLock`,
      origin: bucket.origin,
      problem: `locks new objects for ${formatDuration(locked)}, while ${name} is ${formatDuration(kept)}: ${use} could not delete what it must`,
      example: undefined,
    });
  }
}

function checkTenant(
  tenant: ManifestTenant,
  others: readonly ManifestTenant[],
  input: CrossCheckInput,
  problems: SettingProblem[],
): void {
  const refuse = (problem: string) =>
    problems.push({ name: `tenants ${tenant.name}`, origin: tenant.origin, problem, example: undefined });
  for (const [index, place] of tenant.places.entries()) {
    const show = `${place.bucket}/${place.prefix}`;
    for (const own of tenant.places.slice(0, index)) {
      if (overlap(place, own)) refuse(`${show} and ${own.bucket}/${own.prefix} overlap; name the wider one alone`);
    }
    for (const other of others) {
      for (const theirs of other.places) {
        if (!overlap(place, theirs)) continue;
        refuse(
          `${show} and ${theirs.bucket}/${theirs.prefix} of the tenant ${other.name} overlap: one could read the other's objects; give each a place outside the other`,
        );
      }
    }
    for (const use of uses) {
      const target = input.buckets[use];
      if (!isUsed(use, target) || !overlap(place, target)) continue;
      refuse(
        `${show} overlaps ${target.bucket}/${target.prefix}, where ${use} keeps its objects; give each a place outside the other`,
      );
    }
  }
}

interface Place {
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
}

const overlap = (a: Place, b: Place): boolean =>
  a.bucket === b.bucket && (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix));
