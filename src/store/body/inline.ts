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

/** Whether the index's value is a whole body of `size` bytes. One without a trailer is of a version before 0.2. */
export function inlineIntact(value: Buffer, size: number): boolean {
  if (value.length === size) return true;
  if (value.length !== size + TRAILER) return false;
  return crc32c(value.subarray(0, size), 0) === value.readUInt32LE(size);
}

/** @throws StoreError `damaged` */
export function openInline(value: Buffer | undefined, size: number): Buffer {
  if (value === undefined) throw new StoreError('damaged', 'the index refers to an inline body that is not there');
  if (!inlineIntact(value, size)) {
    throw new StoreError('damaged', 'the bytes in the index are not those that were written', {
      advice: 'restore the object from a backup; bucketwright fsck names what else is damaged',
    });
  }
  return value.length === size ? value : value.subarray(0, size);
}
