import { BackupError } from '../errors.ts';
import { unpack } from './codec.ts';
import type { BlobRef } from './model.ts';
import { changed, unseal } from './sealed.ts';

/** The authentication tag that ends a sealed blob, as its reference notes it. */
export const tagOf = (sealed: Buffer): string => sealed.subarray(-16).toString('hex');

/** What opening a blob needs of its reference. */
export type SealedFacts = Pick<BlobRef, 'codec' | 'raw' | 'tag'>;

/**
 * Opens a sealed blob: authenticated, unpacked, and as long as its reference says.
 * @param subject where it lies, for the error
 * @throws BackupError `damaged`
 */
export async function openBlob(master: Buffer, ref: SealedFacts, sealed: Buffer, subject: string): Promise<Buffer> {
  if (tagOf(sealed) !== ref.tag) throw changed(subject, 'it is another blob');
  const packed = unseal(master, 'blob', sealed, subject);
  let plain: Buffer;
  try {
    plain = await unpack(ref.codec, packed, ref.raw);
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw changed(subject, 'it cannot be unpacked', error);
  }
  if (plain.length !== ref.raw) throw changed(subject, 'its content differs');
  return plain;
}
