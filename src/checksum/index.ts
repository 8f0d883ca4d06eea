export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';
export type DigestName = ChecksumAlgorithm | 'MD5';
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A checksum as S3 stores and returns it. `value` is base64; a composite one ends in `-<parts>`. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

/** Raw digest bytes (CRCs big-endian) by name. */
export type Digests = ReadonlyMap<DigestName, Buffer>;
