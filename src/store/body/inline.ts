import { crc32c } from '../../checksum/index.ts';
import { StoreError } from '../errors.ts';

/** A CRC32C (u32, little-endian) behind the bytes. */
const TRAILER = 4;

/** A small body as it lies in the index: its bytes, then what proves them. */
export function sealInline(bytes: Buffer): Buffer {
  const sealed = Buffer.allocUnsafe(bytes.length + TRAILER);
  bytes.copy(sealed);
  sealed.writeUInt32LE(crc32c(bytes, 0), bytes.length);
  return sealed;
}

/**
 * The body of `size` bytes. A value without a trailer is of a version before 0.2.
 * @throws StoreError `damaged`
 */
export function openInline(value: Buffer | undefined, size: number): Buffer {
  if (value === undefined) throw new StoreError('damaged', 'the index refers to an inline body that is not there');
  if (value.length === size) return value;
  if (value.length === size + TRAILER) {
    const bytes = value.subarray(0, size);
    if (crc32c(bytes, 0) === value.readUInt32LE(size)) return bytes;
  }
  throw new StoreError('damaged', 'the bytes in the index are not those that were written', {
    advice: 'restore the object from a backup; bucketwright fsck names what else is damaged',
  });
}
