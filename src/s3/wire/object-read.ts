import type { ObjectInfo, ObjectPart } from '../../store/port.ts';
import type { Check } from '../access.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import type { S3Request } from '../operation.ts';
import type { Query } from '../query.ts';
import { type CustomerKey, customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { evaluate, ifRangeHolds, type ReadConditions, readConditions } from './conditions.ts';
import { checksumHeaders, objectHeaders } from './object-headers.ts';
import { contentRange, parseRange } from './ranges.ts';
import { refuseEncryption } from './refusals.ts';
import { isHeaderText } from './text.ts';
import { parseVersionId, versionHeader } from './versions.ts';

/** Query words that replace a stored response header. */
const OVERRIDES = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];

/** What GetObject and HeadObject may be asked in the query. */
export const READ_PARAMETERS: readonly string[] = ['partNumber', 'versionId', ...OVERRIDES];

const MAX_PART = 10_000;

export interface ObjectRead {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly conditions: ReadConditions | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly partNumber: number | undefined;
  readonly overrides: ReadonlyMap<string, string> | undefined;
  readonly checksumMode: boolean;
  readonly customerKey: CustomerKey | undefined;
}

/** The bytes to send: `start` to `end`, exclusive. */
export interface Selection {
  readonly status: 200 | 206 | 304;
  readonly start: number;
  readonly end: number;
  readonly part: ObjectPart | undefined;
}

/** @throws S3Error `InvalidArgument`, `InvalidRequest`, `NotImplemented` */
export function parseObjectRead({ bucket, key, query, headers, caller }: S3Request): ObjectRead {
  refuseEncryption(headers);
  const { range } = headers;
  let versionId: string | undefined;
  let partNumber: number | undefined;
  let overrides: ReadonlyMap<string, string> | undefined;
  if (query.size > 0) {
    versionId = parseVersionId(query);
    partNumber = parsePartNumber(query);
    overrides = parseOverrides(query, caller.kind === 'anonymous');
    if (partNumber !== undefined && range !== undefined) {
      throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
    }
  }
  return {
    bucket,
    key,
    versionId,
    conditions: readConditions(headers),
    range,
    ifRange: range === undefined ? undefined : headers['if-range']?.toString(),
    partNumber,
    overrides,
    customerKey: parseCustomerKey(headers),
    checksumMode: String(headers['x-amz-checksum-mode'] ?? '').toUpperCase() === 'ENABLED',
  };
}

/**
 * 1 to 10,000; undefined when it is not given.
 * @throws S3Error `InvalidArgument`
 */
export function parsePartNumber(query: Query): number | undefined {
  const text = query.get('partNumber');
  if (text === undefined) return undefined;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PART) {
    throw invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000, inclusive');
  }
  return number;
}

function parseOverrides(query: Query, anonymous: boolean): ReadonlyMap<string, string> | undefined {
  let overrides: Map<string, string> | undefined;
  for (const name of OVERRIDES) {
    const value = query.get(name);
    if (value === undefined) continue;
    if (anonymous) {
      throw new S3Error(
        'InvalidRequest',
        'Request specific response headers cannot be used for anonymous GET requests.',
      );
    }
    if (!isHeaderText(value)) throw invalidArgument(name, value, 'The header value must not hold control characters');
    overrides ??= new Map();
    overrides.set(name.slice('response-'.length), value);
  }
  return overrides;
}

/**
 * Conditions first, then part or range, as RFC 9110 section 13.2.2 orders them.
 * @throws S3Error `PreconditionFailed`, `InvalidRange`, `InvalidPartNumber`
 */
export function selectBytes(read: ObjectRead, info: ObjectInfo): Selection {
  if (read.conditions !== undefined) {
    const result = evaluate(read.conditions, info);
    if (result === 'failed') throw new S3Error('PreconditionFailed');
    if (result === 'not-modified') return { status: 304, start: 0, end: 0, part: undefined };
  }
  if (read.partNumber !== undefined) return selectPart(read.partNumber, info);
  const whole = { status: 200, start: 0, end: info.size, part: undefined } as const;
  if (read.range === undefined || (read.ifRange !== undefined && !ifRangeHolds(read.ifRange, info))) return whole;
  const range = parseRange(read.range, info.size);
  if (range === undefined) return whole;
  if (range === 'unsatisfiable') {
    throw new S3Error('InvalidRange', undefined, {
      elements: { RangeRequested: read.range, ActualObjectSize: info.size.toString() },
      headers: ['Content-Range', `bytes */${info.size}`],
    });
  }
  return { status: 206, start: range.start, end: range.end, part: undefined };
}

/** An object that was put whole counts as its own first part. */
function selectPart(number: number, info: ObjectInfo): Selection {
  const { parts } = info;
  if (parts === undefined && number === 1) {
    return { status: info.size === 0 ? 200 : 206, start: 0, end: info.size, part: undefined };
  }
  const part = parts?.find((candidate) => candidate.number === number);
  if (part === undefined) {
    throw new S3Error('InvalidPart', 'The requested partnumber is not satisfiable', {
      elements: { PartNumberRequested: number.toString(), ActualPartCount: (parts?.length ?? 1).toString() },
    });
  }
  return { status: part.size === 0 ? 200 : 206, start: part.offset, end: part.offset + part.size, part };
}

/** What a read of an object, or of one of its versions, needs. */
export function readCheck({ bucket, key, versionId }: ObjectRead): readonly [Check] {
  return [{ action: versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', bucket, key }];
}

/** All headers of the answer but its length, flat. */
export function readHeaders(read: ObjectRead, info: ObjectInfo, selection: Selection): string[] {
  const headers = objectHeaders(info, read.overrides);
  if (info.versionId !== undefined) headers.push(...versionHeader(info.versionId));
  if (read.customerKey !== undefined) headers.push(...customerKeyHeaders(read.customerKey));
  if (selection.status === 206) {
    headers.push('Content-Range', contentRange(selection.start, selection.end, info.size));
  }
  if (read.partNumber !== undefined && info.parts !== undefined) {
    headers.push('x-amz-mp-parts-count', info.parts.length.toString());
  }
  // Of a range S3 sends no checksum: clients would compare the whole object's with a piece of it.
  const whole = selection.end - selection.start === info.size;
  if (read.checksumMode && selection.status !== 304) {
    if (selection.part !== undefined) {
      // The value is the part's, the type the object's.
      const { checksum } = selection.part;
      const type = info.checksum?.type;
      headers.push(...checksumHeaders(checksum && type ? { ...checksum, type } : checksum));
    } else if (whole) headers.push(...checksumHeaders(info.checksum));
  }
  return headers;
}
