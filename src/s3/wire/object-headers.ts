import type { Checksum } from '../../checksum/index.ts';
import type { ObjectInfo } from '../../store/port.ts';
import { checksumHeader } from '../digests.ts';
import { httpDate } from './dates.ts';
import { headerOfText } from './text.ts';

/** What S3 stores when the client named no type. */
const DEFAULT_TYPE = 'binary/octet-stream';

/** The headers of GET and HEAD that come from the object itself, flat. `overrides` replace stored ones. */
export function objectHeaders(info: ObjectInfo, overrides: ReadonlyMap<string, string> | undefined): string[] {
  const out = ['Last-Modified', httpDate(info.modified), 'ETag', `"${info.etag}"`, 'Accept-Ranges', 'bytes'];
  const headers: Readonly<Partial<Record<string, string>>> = info.headers;
  let typed = false;
  for (const name in headers) {
    if (overrides?.has(name)) continue;
    const value = headers[name];
    if (value === undefined) continue;
    if (name === 'content-type') typed = true;
    out.push(name, headerOfText(value));
  }
  if (overrides !== undefined) {
    for (const [name, value] of overrides) {
      if (name === 'content-type') typed = true;
      out.push(name, headerOfText(value));
    }
  }
  if (!typed) out.push('Content-Type', DEFAULT_TYPE);
  const { metadata } = info;
  for (const name in metadata) out.push(`x-amz-meta-${name}`, headerOfText(metadata[name] ?? ''));
  if (info.storageClass !== 'STANDARD') out.push('x-amz-storage-class', info.storageClass);
  if (info.tags.length > 0) out.push('x-amz-tagging-count', info.tags.length.toString());
  return out;
}

/** The checksum's own header and its type, flat; nothing when there is none. */
export function checksumHeaders(checksum: Checksum | undefined): string[] {
  if (checksum === undefined) return [];
  return [checksumHeader(checksum.algorithm), checksum.value, 'x-amz-checksum-type', checksum.type];
}
