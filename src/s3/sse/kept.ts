import { z } from 'zod';
import { S3Error } from '../errors.ts';
import type { CustomerKey } from './customer-key.ts';

/** What the store keeps beside an encrypted object: how to prove its key; of one body also how to open it. */
const keptSchema = z.object({
  check: z.string().optional(),
  /** Base64: of this body's own key. */
  salt: z.string().optional(),
  /** Base64: 16 bytes for each chunk, one after the other. */
  tags: z.string().optional(),
});

export type Kept = z.infer<typeof keptSchema>;

export function readKept(sse: string): Kept {
  return keptSchema.parse(JSON.parse(sse));
}

export function writeKept(kept: Kept): string {
  return JSON.stringify(kept);
}

/**
 * Holds a request's key, or that it has none, against what an object or upload was encrypted with.
 * @throws S3Error `InvalidRequest`, as AWS words it
 */
export function requireSameKey(sse: string | undefined, key: CustomerKey | undefined): void {
  if (sse === undefined) {
    if (key !== undefined) throw invalid('The encryption parameters are not applicable to this object.');
    return;
  }
  if (key === undefined) {
    throw invalid(
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    );
  }
  if (!key.proves(readKept(sse).check ?? '')) {
    throw invalid('The provided encryption parameters did not match the ones used originally.');
  }
}

/**
 * The same for a part of an upload.
 * @throws S3Error `InvalidRequest`
 */
export function requireUploadKey(sse: string | undefined, key: CustomerKey | undefined): void {
  if (sse !== undefined && key === undefined) {
    throw invalid(
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    );
  }
  requireSameKey(sse, key);
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}
