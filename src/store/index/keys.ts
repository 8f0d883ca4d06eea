import { SEQUENCE_BYTES, writeDescending } from './version-ids.ts';

/**
 * Index keys. Bucket numbers are big-endian so that all keys of a bucket are one range, and object keys follow as plain
 * UTF-8, whose byte order is the order S3 lists in. A key never holds NUL (the protocol refuses it), so NUL separates.
 */

/** Raw bytes of an upload id: 6 of time, 10 random; so ids of one key sort by the time they were made. */
export const UPLOAD_ID_BYTES = 16;

export function bucketPrefix(bucketId: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(bucketId, 0);
  return key;
}

export function objectKey(bucketId: number, key: string): Buffer {
  const buffer = Buffer.allocUnsafe(4 + Buffer.byteLength(key));
  buffer.writeUInt32BE(bucketId, 0);
  buffer.write(key, 4);
  return buffer;
}

/** The object's key, from an index key that lies between `start` and `end`. */
export function keyBetween(indexKey: Buffer, start: number, end: number): string {
  return indexKey.toString('utf8', start + 4, end);
}

/** What is configured on a bucket: its number and the kind's name. */
export function configurationKey(bucketId: number, kind: string): Buffer {
  return objectKey(bucketId, kind);
}

/** An older version: the object's index key, NUL, and its order, newest first. */
export function versionKey(bucketId: number, key: string, sequence: number): Buffer {
  const prefix = versionsPrefix(bucketId, key);
  const whole = Buffer.allocUnsafe(prefix.length + SEQUENCE_BYTES);
  prefix.copy(whole);
  writeDescending(whole, prefix.length, sequence);
  return whole;
}

/** What the index keys of all older versions of an object begin with. */
export function versionsPrefix(bucketId: number, key: string): Buffer {
  return Buffer.concat([objectKey(bucketId, key), Buffer.of(0)]);
}

/** The object's own index key, of that of a version. */
export function objectKeyOfVersion(indexKey: Buffer): Buffer {
  return indexKey.subarray(0, indexKey.length - SEQUENCE_BYTES - 1);
}

export function uploadKey(bucketId: number, key: string, uploadId: Buffer): Buffer {
  return Buffer.concat([objectKey(bucketId, key), Buffer.of(0), uploadId]);
}

export function splitUploadKey(indexKey: Buffer): { readonly key: string; readonly uploadId: Buffer } {
  const end = indexKey.length - UPLOAD_ID_BYTES;
  return { key: indexKey.toString('utf8', 4, end - 1), uploadId: Buffer.from(indexKey.subarray(end)) };
}

export function partKey(uploadId: Buffer, partNumber: number): Buffer {
  const buffer = Buffer.allocUnsafe(UPLOAD_ID_BYTES + 2);
  uploadId.copy(buffer);
  buffer.writeUInt16BE(partNumber, UPLOAD_ID_BYTES);
  return buffer;
}

export function partNumberOf(indexKey: Buffer): number {
  return indexKey.readUInt16BE(UPLOAD_ID_BYTES);
}

/** The smallest key after every key that starts with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  for (let last = prefix.length - 1; last >= 0; last -= 1) {
    const byte = prefix[last] ?? 0xff;
    if (byte === 0xff) continue;
    const end = Buffer.from(prefix.subarray(0, last + 1));
    end[last] = byte + 1;
    return end;
  }
  // Bucket numbers never reach 0xffffffff, so a prefix of only 0xff bytes does not occur.
  return Buffer.alloc(prefix.length + 1, 0xff);
}

/** The smallest key after `key` itself. */
export function afterKey(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}
