import type { IncomingHttpHeaders } from 'node:http';
import type { Eventually } from '../../core/eventually.ts';
import type { DefaultRetention, ObjectInfo, ObjectLock, ObjectStore, Retention } from '../../store/port.ts';
import type { Check, LockAttributes } from '../access.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import type { Context } from '../operation.ts';
import { fields, malformed, textOf, type XmlElement } from './xml-in.ts';
import { element } from './xml-out.ts';

const MODE = 'x-amz-object-lock-mode';
const UNTIL = 'x-amz-object-lock-retain-until-date';
const HOLD = 'x-amz-object-lock-legal-hold';
/** User Guide, "Object Lock considerations": 100 years. */
const MAX_DAYS = 36_500;
const MAX_YEARS = 100;
/** `2030-01-01T00:00:00Z`, with or without a fraction, or with another offset. */
const ISO_DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * Retention and legal hold of a write, from its headers.
 * @throws S3Error `InvalidArgument`
 */
export function parseLockHeaders(headers: IncomingHttpHeaders): LockAttributes {
  const hold = headers[HOLD];
  const attributes = {
    retention: retentionHeaders(headers),
    legalHold: hold === undefined ? undefined : hold === 'ON',
  };
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF') {
    throw invalidArgument(HOLD, String(hold), "Legal Hold must be either of 'ON' or 'OFF'");
  }
  return attributes;
}

function retentionHeaders(headers: IncomingHttpHeaders): Retention | undefined {
  const mode = headers[MODE];
  const date = headers[UNTIL];
  if (mode === undefined && date === undefined) return undefined;
  if (mode === undefined || date === undefined) {
    throw invalidArgument(mode === undefined ? MODE : UNTIL, '', `${UNTIL} and ${MODE} must both be supplied`);
  }
  if (!isMode(mode)) throw invalidArgument(MODE, String(mode), 'Unknown wormMode directive.');
  const until = parseDate(String(date));
  if (until === undefined) {
    throw invalidArgument(UNTIL, String(date), 'The retain until date must be provided in ISO 8601 format');
  }
  return { mode, until };
}

/** @throws S3Error `InvalidRequest` when the bucket has no object lock */
export async function requireLockedBucket(store: ObjectStore, bucket: string): Promise<void> {
  const { objectLock } = await store.bucket(bucket);
  if (objectLock === undefined) throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
}

/** What a write with these attributes needs besides the right to write. */
export function lockChecks({ retention, legalHold }: LockAttributes, bucket: string, key: string): readonly Check[] {
  const checks: Check[] = [];
  if (retention !== undefined) checks.push({ action: 's3:PutObjectRetention', bucket, key });
  if (legalHold !== undefined) checks.push({ action: 's3:PutObjectLegalHold', bucket, key });
  return checks;
}

/** Retention and legal hold in the answer to a read, flat; each only to callers who may read it. */
export function lockHeaders(info: ObjectInfo, context: Context): Eventually<readonly string[]> {
  return info.retention === undefined && info.legalHold === undefined ? NONE : allowedLockHeaders(info, context);
}

const NONE: readonly string[] = [];

async function allowedLockHeaders(info: ObjectInfo, context: Context): Promise<readonly string[]> {
  const { bucket, key, retention, legalHold } = info;
  const headers: string[] = [];
  if (retention !== undefined && (await context.allowed({ action: 's3:GetObjectRetention', bucket, key }))) {
    headers.push(MODE, retention.mode, UNTIL, new Date(retention.until).toISOString());
  }
  if (legalHold !== undefined && (await context.allowed({ action: 's3:GetObjectLegalHold', bucket, key }))) {
    headers.push(HOLD, legalHold ? 'ON' : 'OFF');
  }
  return headers;
}

/**
 * Does the caller want to override governance, and may he? Without the right the header changes nothing.
 * @param lock what the body wants instead
 */
export async function bypassesGovernance(
  asked: boolean,
  bucket: string,
  key: string,
  context: Context,
  lock?: LockAttributes,
): Promise<boolean> {
  return asked && (await context.allowed({ action: 's3:BypassGovernanceRetention', bucket, key, lock }));
}

export function asksForBypass(headers: IncomingHttpHeaders): boolean {
  return String(headers['x-amz-bypass-governance-retention']).toLowerCase() === 'true';
}

/**
 * The body of PutObjectLockConfiguration.
 * @throws S3Error `MalformedXML`, `InvalidRetentionPeriod`
 */
export function parseObjectLock(root: XmlElement | undefined): ObjectLock {
  if (root?.name !== 'ObjectLockConfiguration') throw malformed();
  const { ObjectLockEnabled, Rule } = fields(root, ['ObjectLockEnabled', 'Rule']);
  if (textOf(ObjectLockEnabled).trim() !== 'Enabled') throw malformed();
  if (Rule === undefined) return {};
  const { DefaultRetention } = fields(Rule, ['DefaultRetention']);
  if (DefaultRetention === undefined) throw malformed();
  return { defaultRetention: parseDefault(DefaultRetention) };
}

function parseDefault(given: XmlElement): DefaultRetention {
  const { Mode, Days, Years } = fields(given, ['Mode', 'Days', 'Years']);
  const mode = textOf(Mode).trim();
  if (!isMode(mode) || (Days === undefined) === (Years === undefined)) throw malformed();
  if (Days !== undefined) return { mode, days: period(Days, MAX_DAYS) };
  return { mode, years: period(Years, MAX_YEARS) };
}

function period(given: XmlElement | undefined, most: number): number {
  const text = textOf(given).trim();
  if (!/^-?\d{1,10}$/.test(text)) throw malformed();
  const value = Number(text);
  if (value < 1) throw new S3Error('InvalidRetentionPeriod');
  if (value > most) throw new S3Error('InvalidRetentionPeriod', 'Default retention period too large.');
  return value;
}

/** The content of an ObjectLockConfiguration document. */
export function objectLockXml({ defaultRetention }: ObjectLock): string {
  const enabled = element('ObjectLockEnabled', 'Enabled');
  if (defaultRetention === undefined) return enabled;
  const length =
    'days' in defaultRetention ? element('Days', defaultRetention.days) : element('Years', defaultRetention.years);
  const mode = element('Mode', defaultRetention.mode);
  return `${enabled}<Rule><DefaultRetention>${mode}${length}</DefaultRetention></Rule>`;
}

/**
 * The body of PutObjectRetention; undefined for an empty one, which takes the retention away.
 * @throws S3Error `MalformedXML`
 */
export function parseRetention(root: XmlElement | undefined): Retention | undefined {
  if (root?.name !== 'Retention') throw malformed();
  const { Mode, RetainUntilDate } = fields(root, ['Mode', 'RetainUntilDate']);
  if (Mode === undefined && RetainUntilDate === undefined) return undefined;
  const mode = textOf(Mode).trim();
  const until = parseDate(textOf(RetainUntilDate).trim());
  if (!isMode(mode) || until === undefined) throw malformed();
  return { mode, until };
}

export function retentionXml({ mode, until }: Retention): string {
  return element('Mode', mode) + element('RetainUntilDate', new Date(until).toISOString());
}

/**
 * The body of PutObjectLegalHold.
 * @throws S3Error `MalformedXML`
 */
export function parseLegalHold(root: XmlElement | undefined): boolean {
  if (root?.name !== 'LegalHold') throw malformed();
  const status = textOf(fields(root, ['Status']).Status).trim();
  if (status !== 'ON' && status !== 'OFF') throw malformed();
  return status === 'ON';
}

function isMode(text: unknown): text is Retention['mode'] {
  return text === 'GOVERNANCE' || text === 'COMPLIANCE';
}

function parseDate(text: string): number | undefined {
  if (!ISO_DATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
