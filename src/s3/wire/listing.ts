import type { ListEntry } from '../../store/port.ts';
import { invalidArgument } from '../errors.ts';
import type { Query } from '../query.ts';
import { isoDate } from './dates.ts';
import { decodeUtf8 } from './text.ts';
import { escapeXml, urlEncode } from './xml-out.ts';

/** How names are written: as XML text, or percent-encoded when the client asked for `encoding-type=url`. */
export type NameEncoder = (name: string) => string;

const MAX_PAGE = 1000;

/**
 * A page size. More than 1,000 is 1,000, as in S3.
 * @throws S3Error `InvalidArgument`
 */
export function parsePageSize(query: Query, name: string): number {
  const text = query.get(name);
  if (text === undefined || text === '') return MAX_PAGE;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2_147_483_647) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  }
  return Math.min(MAX_PAGE, Number(text));
}

/** @throws S3Error `InvalidArgument` */
export function parseEncoding(query: Query): 'url' | undefined {
  const value = query.get('encoding-type');
  if (value === undefined || value === '') return undefined;
  if (value.toLowerCase() !== 'url') {
    throw invalidArgument('encoding-type', value, 'Invalid Encoding Method specified in Request');
  }
  return 'url';
}

export function nameEncoder(encoding: 'url' | undefined): NameEncoder {
  return encoding === 'url' ? urlEncode : escapeXml;
}

/** Contents and CommonPrefixes, in S3's order: first all objects, then all prefixes. `owner` is ready-made XML. */
export function entriesXml(entries: readonly ListEntry[], encode: NameEncoder, owner: string): string {
  let contents = '';
  let prefixes = '';
  for (const entry of entries) {
    if (entry.kind === 'prefix') {
      prefixes += commonPrefixXml(entry.prefix, encode);
      continue;
    }
    contents += `<Contents><Key>${encode(entry.key)}</Key><LastModified>${isoDate(entry.modified)}</LastModified><ETag>&quot;${entry.etag}&quot;</ETag>`;
    if (entry.checksumAlgorithm !== undefined) {
      contents += `<ChecksumAlgorithm>${entry.checksumAlgorithm}</ChecksumAlgorithm><ChecksumType>${entry.checksumType ?? 'FULL_OBJECT'}</ChecksumType>`;
    }
    contents += `<Size>${entry.size}</Size>${owner}<StorageClass>${entry.storageClass}</StorageClass></Contents>`;
  }
  return contents + prefixes;
}

export function commonPrefixXml(prefix: string, encode: NameEncoder): string {
  return `<CommonPrefixes><Prefix>${encode(prefix)}</Prefix></CommonPrefixes>`;
}

/** The last name of a page: where the next one goes on. */
export function lastName(entries: readonly ListEntry[]): string | undefined {
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return last.kind === 'prefix' ? last.prefix : last.key;
}

/** Marks our tokens, so that anything else is refused rather than read as a name. */
const TOKEN = '1';

/** An opaque continuation token for a name. */
export function encodeToken(name: string): string {
  return TOKEN + Buffer.from(name, 'utf8').toString('base64url');
}

/** @throws S3Error `InvalidArgument` */
export function decodeToken(parameter: string, token: string): string {
  const bytes = Buffer.from(token.slice(1), 'base64url');
  const name = decodeUtf8(bytes);
  if (!token.startsWith(TOKEN) || name === undefined || encodeToken(name) !== token) {
    throw invalidArgument(parameter, token, 'The continuation token provided is incorrect');
  }
  return name;
}

/** `<ID>` and `<DisplayName>` of a principal; ours have no other name. */
export function ownerXml(tag: string, owner: string): string {
  const name = escapeXml(owner);
  return `<${tag}><ID>${name}</ID><DisplayName>${name}</DisplayName></${tag}>`;
}
