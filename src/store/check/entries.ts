import type { Index } from '../index/database.ts';
import { objectKeyOfVersion, partNumberOf, UPLOAD_ID_BYTES } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import { SEQUENCE_BYTES } from '../index/version-ids.ts';
import { keysOf } from './walk.ts';

/** An entry of the index that refers to a body: a current object, an older version of one, a part of an upload. */
export interface Entry {
  readonly kind: 'object' | 'version' | 'part';
  /** For people: `bucket/key`, or the upload and number of a part. */
  readonly subject: string;
  /** The bucket's number; undefined for parts. */
  readonly bucketId: number | undefined;
  readonly indexKey: Buffer;
  /** As it is now. @throws what a damaged record makes of its decoder */
  record(): ObjectRecord | undefined;
}

export function* entriesOf(index: Index, bucketNames: ReadonlyMap<number, string>): Generator<Entry> {
  for (const indexKey of keysOf(index, index.objectsRaw)) {
    const bucketId = indexKey.readUInt32BE(0);
    const bucket = bucketNames.get(bucketId) ?? `(bucket number ${bucketId})`;
    yield {
      kind: 'object',
      subject: `${bucket}/${indexKey.toString('utf8', 4)}`,
      bucketId,
      indexKey,
      record: () => index.objects.get(indexKey),
    };
  }
  for (const indexKey of keysOf(index, index.versionsRaw)) {
    const bucketId = indexKey.readUInt32BE(0);
    const bucket = bucketNames.get(bucketId) ?? `(bucket number ${bucketId})`;
    const record = () => index.versions.get(indexKey);
    yield {
      kind: 'version',
      subject: `${bucket}/${objectKeyOfVersion(indexKey).toString('utf8', 4)} (version ${indexKey.toString('hex', indexKey.length - SEQUENCE_BYTES)}…)`,
      bucketId,
      indexKey,
      record,
    };
  }
  for (const indexKey of keysOf(index, index.partsRaw)) {
    const upload = indexKey.toString('hex', 0, UPLOAD_ID_BYTES);
    yield {
      kind: 'part',
      subject: `upload ${upload} part ${partNumberOf(indexKey)}`,
      bucketId: undefined,
      indexKey,
      record: () => index.parts.get(indexKey),
    };
  }
}
