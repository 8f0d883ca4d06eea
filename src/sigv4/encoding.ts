import { SigV4Error } from './errors.ts';

const UNRESERVED_PATH = /^[A-Za-z0-9\-._~/]*$/;
const UNRESERVED = /^[A-Za-z0-9\-._~]*$/;
const SLASH = 0x2f;
const PERCENT = 0x25;
const PLUS = 0x2b;

/** What each byte becomes: itself when unreserved (RFC 3986, 2.3), else `%XX` in upper case. */
const encoded: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/**
 * The canonical URI of S3: decoded once, encoded again, `/` kept and nothing normalised (no merging of `//`, no `..`),
 * because keys may hold all of these.
 * @param rawPath as on the wire; characters above U+007F are taken as node:http gives them, one for each byte.
 * @throws SigV4Error InvalidURI for a `%` that two hexadecimal digits do not follow.
 */
export function canonicalPath(rawPath: string): string {
  return UNRESERVED_PATH.test(rawPath) ? rawPath || '/' : normalise(rawPath, true);
}

export interface QueryParameter {
  /** Canonical, so two spellings of one name are equal. */
  readonly name: string;
  readonly value: string;
}

/** The parameters of a raw query, each in canonical encoding, in the order given. `+` is a space, as S3 reads it. */
export function parseQuery(rawQuery: string): QueryParameter[] {
  if (rawQuery === '') return [];
  const parameters: QueryParameter[] = [];
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    parameters.push(
      equals < 0
        ? { name: canonicalPart(pair), value: '' }
        : { name: canonicalPart(pair.slice(0, equals)), value: canonicalPart(pair.slice(equals + 1)) },
    );
  }
  return parameters;
}

/** Sorted by name, then value, in the order of bytes. */
export function canonicalQuery(parameters: readonly QueryParameter[]): string {
  return parameters
    .toSorted((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&');
}

/** RFC 3986 encoding of UTF-8 text, for a query; `/` is encoded. */
export function encodePart(text: string): string {
  if (UNRESERVED.test(text)) return text;
  let result = '';
  for (const byte of Buffer.from(text)) result += encoded[byte];
  return result;
}

/** The text of a canonical part. Bytes that are not UTF-8 become U+FFFD. */
export function decodePart(part: string): string {
  if (!part.includes('%')) return part;
  return Buffer.from(unescapeBytes(part), 'latin1').toString();
}

function canonicalPart(raw: string): string {
  return UNRESERVED.test(raw) ? raw : normalise(raw, false);
}

function normalise(raw: string, isPath: boolean): string {
  let result = '';
  for (let at = 0; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === SLASH && isPath) result += '/';
    else if (code === PLUS && !isPath) result += '%20';
    else if (code === PERCENT) {
      const byte = escapedByte(raw, at);
      result += byte === SLASH && isPath ? '/' : encoded[byte];
      at += 2;
    } else if (code < 256) result += encoded[code];
    else result += encodePart(String.fromCodePoint(raw.codePointAt(at) ?? code));
    if (code >= 0xd800 && code < 0xdc00) at += 1;
  }
  return result;
}

function unescapeBytes(part: string): string {
  let result = '';
  for (let at = 0; at < part.length; at += 1) {
    if (part.charCodeAt(at) === PERCENT) {
      result += String.fromCharCode(escapedByte(part, at));
      at += 2;
    } else result += part[at];
  }
  return result;
}

function escapedByte(raw: string, at: number): number {
  const digits = raw.slice(at + 1, at + 3);
  if (!/^[0-9A-Fa-f]{2}$/.test(digits)) {
    throw new SigV4Error('InvalidURI', 'uri-invalid', "Couldn't parse the specified URI.", { subject: raw });
  }
  return Number.parseInt(digits, 16);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
