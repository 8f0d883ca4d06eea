export { combineCrc, type PartDigest } from './combine.ts';
export { crc32, crc32c } from './crc.ts';
export { createHasher, DigestSet, digestOf, type Hasher } from './hasher.ts';
export { LANES } from './md5-kernel.ts';
export { Md5Lanes, Md5Message, type Md5Piece } from './md5-lanes.ts';
export {
  type Checksum,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CrcAlgorithm,
  checksumAlgorithms,
  type DigestName,
  type Digests,
  digestLength,
} from './model.ts';
export { compositeChecksum, fullObjectChecksum } from './object-checksum.ts';
