import { randomBytes } from 'node:crypto';

/**
 * Ids that are unique within a process's life and differ between processes: a random half drawn at start, then a
 * counter. 16 upper-case hex digits, as S3's are.
 */
export function requestIds(): () => string {
  const half = randomBytes(4).toString('hex').toUpperCase();
  let counter = randomBytes(3).readUIntBE(0, 3);
  return () => {
    counter = (counter + 1) >>> 0;
    return half + counter.toString(16).toUpperCase().padStart(8, '0');
  };
}

/** What `x-amz-id-2` carries: which process answered. */
export function hostId(): string {
  return randomBytes(24).toString('base64');
}
