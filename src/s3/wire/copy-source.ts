import type { IncomingHttpHeaders } from 'node:http';
import { StoreError } from '../../store/errors.ts';
import type { Check } from '../access.ts';
import { isBucketName } from '../bucket-name.ts';
import { invalidArgument, notImplemented, S3Error } from '../errors.ts';
import { checkKey } from '../target.ts';
import { percentDecode } from './text.ts';
import { checkVersionId } from './versions.ts';

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** What reading the source needs. */
export function sourceCheck({ bucket, key, versionId }: CopySource): Check {
  return { action: versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', bucket, key, versionId };
}

/** A delete marker named as the source is a mistake of its own. */
export function asSourceError(error: unknown): unknown {
  if (!(error instanceof StoreError) || error.code !== 'delete-marker') return error;
  return new S3Error(
    'InvalidRequest',
    'The source of a copy request may not specifically refer to a delete marker by version id.',
    { cause: error },
  );
}

export function sourceVersionHeader(versionId: string | undefined): readonly string[] {
  return versionId === undefined ? [] : ['x-amz-copy-source-version-id', versionId];
}

/**
 * `x-amz-copy-source`: `bucket/key` or `/bucket/key`, percent-encoded, perhaps with `?versionId=`.
 * @throws S3Error `InvalidArgument`, `NotImplemented` (access point ARNs)
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
  return { bucket, key, versionId: checkVersionId(version?.[1]) };
}
