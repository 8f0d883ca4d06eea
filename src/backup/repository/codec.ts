import zlib from 'node:zlib';
import { BackupError } from '../errors.ts';

/** How a blob was packed; recorded with each, so that newer ones can differ from older. */
export type Codec = 'none' | 'deflate' | 'zstd';

const zstd: { compress: (bytes: Buffer) => Buffer; decompress: (bytes: Buffer) => Buffer } | undefined = (() => {
  // Node has it since 22.15 (docs/decisions/0170-codec.md).
  const found: Record<string, unknown> = { ...zlib };
  const [compress, decompress] = [found.zstdCompressSync, found.zstdDecompressSync];
  if (typeof compress !== 'function' || typeof decompress !== 'function') return undefined;
  const call = (what: (bytes: Buffer) => unknown) => (bytes: Buffer) => {
    const answer = what(bytes);
    if (!Buffer.isBuffer(answer)) throw new TypeError('zstd answered no bytes');
    return answer;
  };
  return { compress: call((bytes) => compress(bytes)), decompress: call((bytes) => decompress(bytes)) };
})();

/** Packs, or keeps as it is what does not get smaller. */
export function pack(bytes: Buffer): { readonly codec: Codec; readonly bytes: Buffer } {
  const packed = zstd === undefined ? zlib.deflateRawSync(bytes, { level: 1 }) : zstd.compress(bytes);
  if (packed.length >= bytes.length) return { codec: 'none', bytes };
  return { codec: zstd === undefined ? 'deflate' : 'zstd', bytes: packed };
}

/** @param length what comes out; never more is made, whatever the input claims */
export function unpack(codec: Codec, bytes: Buffer, length: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'deflate':
      return zlib.inflateRawSync(bytes, { maxOutputLength: length });
    case 'zstd':
      if (zstd !== undefined) return zstd.decompress(bytes);
      throw new BackupError('repository-format', 'this was packed with zstd, which this Node.js does not have', {
        advice: 'run bucketwright with Node.js 22.15 or newer',
      });
  }
}
