import type { IncomingHttpHeaders } from 'node:http';
import { isBucketName } from '../bucket-name.ts';
import { invalidArgument, notImplemented } from '../errors.ts';
import { checkKey } from '../target.ts';
import { checkVersion } from './refusals.ts';
import { percentDecode } from './text.ts';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
}

/**
 * `x-amz-copy-source`: `bucket/key` or `/bucket/key`, percent-encoded, perhaps with `?versionId=`.
 * @throws S3Error `InvalidArgument`, `NoSuchVersion`, `NotImplemented` (access point ARNs)
 */
export function parseCopySource(headers: IncomingHttpHeaders): CopySource {
  const header = String(headers['x-amz-copy-source'] ?? '');
  if (/^\/?arn:/.test(header)) throw notImplemented('x-amz-copy-source with an ARN');
  const version = /\?versionId=([^?]*)$/.exec(header);
  const path = percentDecode(version === null ? header : header.slice(0, version.index), 'literal');
  const parts = path === undefined ? null : /^\/?([^/]+)\/(.+)$/s.exec(path);
  const bucket = parts?.[1];
  const key = parts?.[2];
  if (bucket === undefined || key === undefined || !isBucketName(bucket)) {
    throw invalidArgument(
      'x-amz-copy-source',
      header,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  checkKey(key);
  checkVersion(version?.[1], key);
  return { bucket, key };
}
