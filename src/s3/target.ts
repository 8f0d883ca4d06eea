import { S3Error } from './errors.ts';
import { percentDecode } from './wire/text.ts';

export type Scope = 'service' | 'bucket' | 'object';

/** What a request line and Host header name. `rawPath` and `rawQuery` are as on the wire, for the signature. */
export interface Target {
  readonly scope: Scope;
  /** Empty in the service scope. Not yet checked against the naming rules. */
  readonly bucket: string;
  /** Empty unless the scope is `object`. Verbatim: nothing is normalised. */
  readonly key: string;
  readonly rawPath: string;
  readonly rawQuery: string;
}

/** The longest key, in bytes of UTF-8 (User Guide, "Naming Amazon S3 objects"). */
export const MAX_KEY_BYTES = 1024;

/**
 * @param url the request target of the request line
 * @param host the Host header
 * @param domain the domain under which `<bucket>.<domain>` names a bucket; `<bucket>.localhost` always does
 * @throws S3Error `InvalidURI`, `KeyTooLongError`
 */
export function parseTarget(url: string, host: string | undefined, domain: string | undefined): Target {
  const target = url.startsWith('/') ? url : originForm(url);
  const mark = target.indexOf('?');
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const rawQuery = mark === -1 ? '' : target.slice(mark + 1);

  const hosted = host === undefined ? undefined : bucketOfHost(host, domain);
  const slash = hosted === undefined ? rawPath.indexOf('/', 1) : 0;
  const bucket = hosted ?? decode(slash === -1 ? rawPath.slice(1) : rawPath.slice(1, slash));
  const rawKey = slash === -1 ? '' : rawPath.slice(slash + 1);
  if (bucket === '') {
    if (rawKey !== '') throw new S3Error('InvalidBucketName', undefined, { elements: { BucketName: '' } });
    return { scope: 'service', bucket, key: '', rawPath, rawQuery };
  }
  if (rawKey === '') return { scope: 'bucket', bucket, key: '', rawPath, rawQuery };
  return { scope: 'object', bucket, key: checkKey(decode(rawKey)), rawPath, rawQuery };
}

/**
 * Any key that S3 allows: 1 to 1,024 bytes of UTF-8 without NUL.
 * @throws S3Error `KeyTooLongError`, `InvalidURI`
 */
export function checkKey(key: string): string {
  // A UTF-16 unit is at most three bytes of UTF-8, so short keys need not be measured.
  if (key.length * 3 > MAX_KEY_BYTES) {
    const size = Buffer.byteLength(key);
    if (size > MAX_KEY_BYTES) {
      const elements = { Size: size.toString(), MaxSizeAllowed: MAX_KEY_BYTES.toString() };
      throw new S3Error('KeyTooLongError', undefined, { elements });
    }
  }
  if (key.includes('\0')) throw new S3Error('InvalidURI', 'An object key must not contain NUL.');
  return key;
}

/** RFC 9112 section 3.2.2: a server accepts the absolute form as well. */
function originForm(url: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/is.exec(url);
  const rest = match?.[1];
  if (rest === undefined) throw new S3Error('InvalidURI');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function bucketOfHost(host: string, domain: string | undefined): string | undefined {
  const colon = host.lastIndexOf(':');
  const name = (colon === -1 || host.endsWith(']') ? host : host.slice(0, colon)).toLowerCase();
  if (name === domain) return undefined;
  for (const parent of [domain, 'localhost']) {
    if (parent === undefined || name.length <= parent.length + 1) continue;
    if (name.endsWith(parent) && name.charCodeAt(name.length - parent.length - 1) === 46) {
      return name.slice(0, name.length - parent.length - 1);
    }
  }
  return undefined;
}

function decode(raw: string): string {
  const text = percentDecode(raw, 'literal');
  if (text === undefined) throw new S3Error('InvalidURI');
  return text;
}
