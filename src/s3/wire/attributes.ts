import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectAttributes, StoredHeader } from '../../store/port.ts';
import type { Check, LockAttributes } from '../access.ts';
import { S3Error } from '../errors.ts';
import { lockChecks, parseLockHeaders } from './object-lock.ts';
import { parseTagHeader } from './tags.ts';
import { textOfHeader } from './text.ts';

/** Response headers that S3 stores with an object. Content-Encoding is apart, since `aws-chunked` is not stored. */
const STORED: readonly StoredHeader[] = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
  'x-amz-website-redirect-location',
];

const META = 'x-amz-meta-';
/** Names and values together, in bytes (User Guide, "Working with object metadata"). */
const MAX_METADATA_BYTES = 2048;

const STORAGE_CLASSES = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'OUTPOSTS',
  'GLACIER_IR',
  'SNOW',
  'EXPRESS_ONEZONE',
  'FSX_OPENZFS',
  'FSX_ONTAP',
]);

const NO_TAGS: ObjectAttributes['tags'] = [];

/**
 * What a write says about the object besides its bytes.
 * @throws S3Error `MetadataTooLarge`, `InvalidStorageClass`, `InvalidTag`, `InvalidArgument`
 */
export function parseAttributes(headers: IncomingHttpHeaders): ObjectAttributes {
  const tagging = headers['x-amz-tagging'];
  return {
    headers: storedHeaders(headers),
    metadata: userMetadata(headers),
    tags: tagging === undefined ? NO_TAGS : parseTagHeader(textOfHeader(String(tagging))),
    storageClass: parseStorageClass(headers) ?? 'STANDARD',
    ...parseLockHeaders(headers),
  };
}

/** What a write with these attributes needs besides the right to write. */
export function attributeChecks(
  attributes: LockAttributes & Pick<ObjectAttributes, 'tags'>,
  bucket: string,
  key: string,
): readonly Check[] {
  const checks = lockChecks(attributes, bucket, key);
  return attributes.tags.length === 0 ? checks : [{ action: 's3:PutObjectTagging', bucket, key }, ...checks];
}

export function storedHeaders(headers: IncomingHttpHeaders): Partial<Record<StoredHeader, string>> {
  const stored: Partial<Record<StoredHeader, string>> = {};
  for (const name of STORED) {
    const value = headers[name];
    if (value !== undefined) stored[name] = textOfHeader(String(value));
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined) {
    const kept = encoding.toLowerCase().includes('aws-chunked') ? withoutChunked(encoding) : encoding;
    if (kept !== '') stored['content-encoding'] = textOfHeader(kept);
  }
  return stored;
}

function withoutChunked(encoding: string): string {
  const codings = encoding.split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked').join(',');
}

/** @throws S3Error `MetadataTooLarge` */
export function userMetadata(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  let size = 0;
  for (const name in headers) {
    if (!name.startsWith(META)) continue;
    const raw = String(headers[name]);
    size += name.length - META.length + raw.length;
    metadata[name.slice(META.length)] = textOfHeader(raw);
  }
  if (size > MAX_METADATA_BYTES) {
    const elements = { Size: size.toString(), MaxSizeAllowed: MAX_METADATA_BYTES.toString() };
    throw new S3Error('MetadataTooLarge', undefined, { elements });
  }
  return metadata;
}

/** @throws S3Error `InvalidStorageClass` */
export function parseStorageClass(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-amz-storage-class'];
  if (value === undefined) return undefined;
  const name = String(value);
  if (!STORAGE_CLASSES.has(name)) {
    throw new S3Error('InvalidStorageClass', undefined, { elements: { StorageClassRequested: name } });
  }
  return name;
}
