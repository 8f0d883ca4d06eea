import type { IncomingHttpHeaders } from 'node:http';
import type { WriteCondition } from '../../store/port.ts';
import { parseHttpDate } from './dates.ts';

export type EntityTags = '*' | readonly string[];

/** If-Match and If-None-Match, unquoted. A bare tag is accepted beside the quoted one, as S3 does. */
export function parseEntityTags(header: string): EntityTags {
  const text = header.trim();
  if (text === '*') return '*';
  const tags: string[] = [];
  for (const part of text.split(',')) {
    const tag = part
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    if (tag !== '') tags.push(tag);
  }
  return tags;
}

function matches(header: string, etag: string): boolean {
  const tags = parseEntityTags(header);
  return tags === '*' || tags.includes(etag);
}

export interface ReadConditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
}

/** Undefined when the request has none, so that the common case costs nothing. */
export function readConditions(headers: IncomingHttpHeaders): ReadConditions | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  const ifModifiedSince = headers['if-modified-since'];
  const ifUnmodifiedSince = headers['if-unmodified-since'];
  if (ifMatch ?? ifNoneMatch ?? ifModifiedSince ?? ifUnmodifiedSince) {
    return { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince };
  }
  return undefined;
}

/** The same for a copy's source. */
export function copySourceConditions(headers: IncomingHttpHeaders): ReadConditions {
  const header = (name: string) => headers[`x-amz-copy-source-if-${name}`]?.toString();
  return {
    ifMatch: header('match'),
    ifNoneMatch: header('none-match'),
    ifModifiedSince: header('modified-since'),
    ifUnmodifiedSince: header('unmodified-since'),
  };
}

/** In the order of RFC 9110 section 13.2.2. Entity tags beat dates; a date that is not one is ignored. */
export function evaluate(
  conditions: ReadConditions,
  object: { readonly etag: string; readonly modified: number },
): 'holds' | 'not-modified' | 'failed' {
  // HTTP dates have whole seconds, so the object's time is compared as it was sent.
  const modified = Math.floor(object.modified / 1000) * 1000;
  if (conditions.ifMatch !== undefined) {
    if (!matches(conditions.ifMatch, object.etag)) return 'failed';
  } else if (conditions.ifUnmodifiedSince !== undefined) {
    const date = parseHttpDate(conditions.ifUnmodifiedSince);
    if (date !== undefined && modified > date) return 'failed';
  }
  if (conditions.ifNoneMatch !== undefined) {
    if (matches(conditions.ifNoneMatch, object.etag)) return 'not-modified';
  } else if (conditions.ifModifiedSince !== undefined) {
    const date = parseHttpDate(conditions.ifModifiedSince);
    if (date !== undefined && modified <= date) return 'not-modified';
  }
  return 'holds';
}

/** Does an If-Range let the range count (RFC 9110 section 13.1.5)? */
export function ifRangeHolds(header: string, object: { readonly etag: string; readonly modified: number }): boolean {
  const date = parseHttpDate(header);
  if (date !== undefined) return Math.floor(object.modified / 1000) * 1000 === date;
  return header.trim() === `"${object.etag}"`;
}

/** Conditions of a write. AWS knows only `*` for If-None-Match there; entity tags mean here what RFC 9110 says. */
export function writeCondition(headers: IncomingHttpHeaders): WriteCondition | undefined {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return {
    ifMatch: ifMatch === undefined ? undefined : parseEntityTags(ifMatch),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : parseEntityTags(ifNoneMatch),
  };
}
