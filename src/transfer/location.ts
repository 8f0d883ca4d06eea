import { resolve, sep } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { parseBucketName } from '../settings/index.ts';

/** Where objects are, as people write it. */
export type Location =
  | { readonly kind: 'directory'; readonly path: string }
  | {
      readonly kind: 'bucket';
      /** Of `s3+NAME://`: whose NAME_S3_… variables hold the endpoint and keys. */
      readonly connection: string | undefined;
      readonly bucket: string;
      /** Empty, or with one slash at its end: a prefix is a folder here. */
      readonly prefix: string;
    };

/**
 * `s3://bucket/prefix`, `s3+NAME://bucket/prefix`, or a path. Keys are taken literally: `%20` is no space.
 * @throws UsageError
 */
export function parseLocation(text: string): Location {
  const scheme = /^([A-Za-z][A-Za-z0-9+._-]*):\/\/(.*)$/s.exec(text);
  if (scheme === null) {
    if (text === '') throw new UsageError('the location is empty', { advice: 'name a path or s3://BUCKET/PREFIX' });
    return { kind: 'directory', path: text };
  }
  const [, name = '', rest = ''] = scheme;
  const connection = /^s3(?:\+([A-Za-z][A-Za-z0-9_-]{0,63}))?$/.exec(name);
  if (connection === null) {
    throw new UsageError(`${name}:// is no place that can be transferred`, {
      subject: text,
      advice: 'use s3://BUCKET/PREFIX, s3+NAME://BUCKET/PREFIX or a path',
    });
  }
  const slash = rest.indexOf('/');
  const bucket = parseBucketName(slash < 0 ? rest : rest.slice(0, slash));
  if (!bucket.ok) throw new UsageError(`the bucket of ${text} ${bucket.problem}`, { subject: text });
  const prefix = slash < 0 ? '' : rest.slice(slash + 1);
  return {
    kind: 'bucket',
    connection: connection[1],
    bucket: bucket.value,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
  };
}

/** Whether one place lies within the other, so that a transfer would read what it writes. `endpoint`: of each side. */
export function overlap(
  a: Location,
  b: Location,
  endpoints: readonly [string | undefined, string | undefined],
): boolean {
  if (a.kind === 'directory' && b.kind === 'directory') {
    const [x, y] = [a, b].map(({ path }) => `${resolve(path)}${sep}`);
    return x !== undefined && y !== undefined && (x.startsWith(y) || y.startsWith(x));
  }
  if (a.kind !== 'bucket' || b.kind !== 'bucket') return false;
  if (a.bucket !== b.bucket || endpoints[0] !== endpoints[1]) return false;
  return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
}
