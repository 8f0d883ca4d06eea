import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { BackupError } from '../errors.ts';

/** How a blob was packed; recorded with each, so that newer ones can differ from older. */
export type Codec = 'none' | 'deflate' | 'zstd';

/** Twice as fast as the usual 3, and hardly larger (docs/decisions/0170-codec.md). */
const LEVEL = 1;

interface Zstd {
  compress(bytes: Buffer, level: number): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

/**
 * zstd on the threads of libuv; undefined on a platform that the package has no binary for. Its own entry point knows no
 * level, so that what is below it is loaded.
 */
const zstd = ((): Zstd | undefined => {
  let found: unknown;
  try {
    found = createRequire(import.meta.url)('@mongodb-js/zstd/bindings.js');
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null || !('compress' in found) || !('decompress' in found))
    return undefined;
  const { compress, decompress } = found;
  if (typeof compress !== 'function' || typeof decompress !== 'function') return undefined;
  const bytesOf = (answer: unknown): Buffer => {
    if (!Buffer.isBuffer(answer)) throw new TypeError('zstd answered no bytes');
    return answer;
  };
  return {
    compress: async (bytes, level) => bytesOf(await compress(bytes, level)),
    decompress: async (bytes) => bytesOf(await decompress(bytes)),
  };
})();

const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);

/** Packs, or keeps as it is what does not get smaller: then the very bytes that were given. */
export async function pack(bytes: Buffer): Promise<{ readonly codec: Codec; readonly bytes: Buffer }> {
  const packed = zstd === undefined ? await deflate(bytes, { level: 1 }) : await zstd.compress(bytes, LEVEL);
  if (packed.length >= bytes.length) return { codec: 'none', bytes };
  return { codec: zstd === undefined ? 'deflate' : 'zstd', bytes: packed };
}

/**
 * @param length what comes out. Only what was sealed with the repository's key gets here, so that it is not limited
 *   against what somebody else made up.
 */
export async function unpack(codec: Codec, bytes: Buffer, length: number): Promise<Buffer> {
  switch (codec) {
    case 'none':
      return bytes;
    case 'deflate':
      return inflate(bytes, { maxOutputLength: Math.max(1, length) });
    case 'zstd':
      if (zstd !== undefined) return zstd.decompress(bytes);
      throw new BackupError('repository-format', 'this was packed with zstd, which is not there for this platform', {
        advice: 'run bucketwright on Linux, macOS or Windows, on x86-64 or 64-bit ARM',
      });
  }
}
