import { createRequire } from 'node:module';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { type CrcKernel, compileCrc } from './crc-kernel.ts';
import type { CrcAlgorithm } from './model.ts';

/** A finished CRC extended by more bytes, as zlib's crc32 does: start with 0, and the answer is final at any time. */
export type Crc32 = (bytes: Uint8Array, crc: number) => number;

/** Width and reflected polynomial. CRC64NVME: NVM Express, NVM Command Set Specification 1.0, section 5.2.1.3.4. */
export const polynomials: Readonly<Record<CrcAlgorithm, { readonly bits: 32 | 64; readonly polynomial: bigint }>> = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
};

const MASK32 = 0xffffffffn;

export const crc32: Crc32 = (bytes, crc) => zlibCrc32(bytes, crc);

/** CRC32C in WebAssembly: for machines that the native module has no build for. */
export function portableCrc32c(): Crc32 {
  const kernel = compileCrc(polynomials.CRC32C.polynomial);
  return (bytes, crc) => Number(kernel(BigInt(crc) ^ MASK32, bytes) ^ MASK32);
}

/** The processor's own CRC32C instruction, or undefined where no build of the native module exists. */
export function nativeCrc32c(): Crc32 | undefined {
  try {
    const native: unknown = createRequire(import.meta.url)('@node-rs/crc32');
    if (typeof native !== 'object' || native === null || !('crc32c' in native)) return undefined;
    const { crc32c } = native;
    return typeof crc32c === 'function' ? (bytes, crc) => Number(crc32c(bytes, crc)) : undefined;
  } catch {
    return undefined;
  }
}

export const crc32c: Crc32 = nativeCrc32c() ?? portableCrc32c();

let kernel64: CrcKernel | undefined;

/** CRC64NVME in the same manner: start with 0n. */
export function crc64nvme(bytes: Uint8Array, crc: bigint): bigint {
  // Compiled on first use: most processes never see this algorithm.
  kernel64 ??= compileCrc(polynomials.CRC64NVME.polynomial);
  return BigInt.asUintN(64, ~kernel64(BigInt.asUintN(64, ~crc), bytes));
}
