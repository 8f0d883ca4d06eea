import { digestOf } from './hasher.ts';
import type { Checksum, ChecksumAlgorithm } from './model.ts';

/** Of a whole object's digest. */
export function fullObjectChecksum(algorithm: ChecksumAlgorithm, digest: Buffer): Checksum {
  return { algorithm, type: 'FULL_OBJECT', value: digest.toString('base64') };
}

/**
 * The checksum of a multipart upload's checksums: base64 of H(digest₁ … digestₙ), a dash and n. S3 offers it for every
 * algorithm but CRC64NVME (Amazon S3 User Guide, "Checking object integrity", composite checksums).
 */
export function compositeChecksum(algorithm: ChecksumAlgorithm, partDigests: readonly Buffer[]): Checksum {
  const digest = digestOf(algorithm, Buffer.concat(partDigests));
  return { algorithm, type: 'COMPOSITE', value: `${digest.toString('base64')}-${partDigests.length}` };
}
