import { StoreError } from '../errors.ts';
import type { BucketRecord } from '../index/database.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { ObjectAttributes, Retention } from '../port.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A bucket with a default retention gives it to every version that comes without one. */
export function withDefaultRetention(record: ObjectRecord, bucket: BucketRecord): ObjectRecord {
  const given = bucket.objectLock?.defaultRetention;
  if (given === undefined || record.retention !== undefined) return record;
  return { ...record, retention: { mode: given.mode, until: defaultUntil(given, record.modified) } };
}

/** A year is a calendar year: the 29th of February ends on the 1st of March. */
function defaultUntil(given: { readonly days: number } | { readonly years: number }, from: number): number {
  if ('days' in given) return from + given.days * DAY_MS;
  const date = new Date(from);
  date.setUTCFullYear(date.getUTCFullYear() + given.years);
  return date.getTime();
}

interface Where {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

/**
 * Retention and legal hold need a bucket with object lock; an end in the past is a mistake.
 * @throws StoreError `no-object-lock`, `retention-past`
 */
export function checkLockable(
  bucket: BucketRecord,
  { retention, legalHold }: Pick<ObjectAttributes, 'retention' | 'legalHold'>,
  now: number,
  where: Where,
): void {
  if (retention === undefined && legalHold === undefined) return;
  if (bucket.objectLock === undefined) {
    throw new StoreError('no-object-lock', `bucket ${where.bucket} has no object lock`, where);
  }
  if (retention !== undefined && retention.until <= now) {
    throw new StoreError('retention-past', 'the retention would have ended already', where);
  }
}

/**
 * May this version be deleted for good? A legal hold and compliance keep it from everybody.
 * @param bypass the caller may, and wants to, override governance
 * @throws StoreError `object-locked`
 */
export function checkDeletable(record: ObjectRecord, now: number, bypass: boolean, where: Where): void {
  if (record.legalHold === true) throw locked('a legal hold', where);
  const { retention } = record;
  if (retention === undefined || retention.until <= now) return;
  if (retention.mode === 'GOVERNANCE' && bypass) return;
  throw locked(`${retention.mode} retention until ${new Date(retention.until).toISOString()}`, where);
}

/**
 * May the retention become `wanted` (undefined: none)? Longer always; shorter, another mode or none only past its end, or
 * for governance with bypass.
 * @throws StoreError `object-locked`
 */
export function checkRetentionChange(
  record: ObjectRecord,
  wanted: Retention | undefined,
  now: number,
  bypass: boolean,
  where: Where,
): void {
  const { retention } = record;
  if (retention === undefined || retention.until <= now) return;
  if (wanted !== undefined && wanted.mode === retention.mode && wanted.until >= retention.until) return;
  if (retention.mode === 'GOVERNANCE' && bypass) return;
  throw locked(`${retention.mode} retention until ${new Date(retention.until).toISOString()}`, where);
}

function locked(by: string, where: Where): StoreError {
  return new StoreError('object-locked', `${where.key} is protected by ${by}`, where);
}
