import { instantiate, moduleOf, signed, unsigned } from './wasm.ts';

/**
 * A CRC of up to 64 bits as a WebAssembly function, assembled here: V8 has 64-bit integers only inside WebAssembly, and
 * this runs some five times as fast as the AWS SDK's CRC64NVME (docs/decisions/0010-checksums.md). The algorithm is
 * "slicing by eight": eight table look-ups replace eight dependent steps. All CRCs here are reflected (least
 * significant bit first), with initial value and final XOR left to the caller.
 */
export type CrcKernel = (crc: bigint, bytes: Uint8Array) => bigint;

const SLICES = 8;
const TABLE_BYTES = 256 * 8;
const WINDOW = SLICES * TABLE_BYTES;
const PAGES = 3;

/** `polynomial` in reflected form. One instance per thread; calls are synchronous, so it needs no lock. */
export function compileCrc(polynomial: bigint): CrcKernel {
  const { memory, run } = instantiate(assemble(), PAGES, isCrc);
  fillTables(new BigUint64Array(memory, 0, SLICES * 256), polynomial);
  const window = new Uint8Array(memory, WINDOW);

  return (start, bytes) => {
    let crc = start;
    for (let at = 0; at < bytes.length; at += window.length) {
      const slice = bytes.length <= window.length ? bytes : bytes.subarray(at, at + window.length);
      window.set(slice);
      crc = run(crc, WINDOW, WINDOW + slice.length);
    }
    return BigInt.asUintN(64, crc);
  };
}

type Run = (crc: bigint, start: number, end: number) => bigint;

function isCrc(run: unknown): run is Run {
  return typeof run === 'function';
}

/** Table k holds the CRC of one byte followed by k zero bytes. */
function fillTables(tables: BigUint64Array, polynomial: bigint): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const previous = tables[at - 256] ?? 0n;
    tables[at] = (previous >> 8n) ^ (tables[Number(previous & 0xffn)] ?? 0n);
  }
}

// What follows names each instruction by its name in the WebAssembly specification (Core 1.0, chapter 5.4).
const local = { crc: 0, at: 1, end: 2, word: 3 };
const i32 = 0x7f;
const i64 = 0x7e;
const blockVoid = [0x02, 0x40];
const loopVoid = [0x03, 0x40];
const end = [0x0b];
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];
const get = (index: number) => [0x20, index];
const set = (index: number) => [0x21, index];
const i32Const = (value: number) => [0x41, ...signed(value)];
const i64Const = (value: number) => [0x42, ...signed(value)];
const i32GtU = [0x4b];
const i32GeU = [0x4f];
const i32Add = [0x6a];
const i32And = [0x71];
const i32Xor = [0x73];
const i32Shl = [0x74];
const i64Xor = [0x85];
const i64ShrU = [0x88];
const i32WrapI64 = [0xa7];
const i64Load = (alignment: number, offset: number) => [0x29, alignment, ...unsigned(offset)];
const i32Load8U = [0x2d, 0, 0];

function assemble(): Uint8Array<ArrayBuffer> {
  const advance = (bytes: number) => [...get(local.at), ...i32Const(bytes), ...i32Add];
  const entry = (table: number) => [...i32Const(3), ...i32Shl, ...i64Load(3, table * TABLE_BYTES)];
  const lookUp = (byte: number) => [
    ...get(local.word),
    ...i64Const(byte * 8),
    ...i64ShrU,
    ...i32WrapI64,
    ...i32Const(255),
    ...i32And,
    ...entry(SLICES - 1 - byte),
    ...(byte === 0 ? [] : i64Xor),
  ];
  const eightBytes = [
    ...blockVoid,
    ...loopVoid,
    ...[...advance(SLICES), ...get(local.end), ...i32GtU, ...branchIf(1)],
    ...[...get(local.at), ...i64Load(0, 0), ...get(local.crc), ...i64Xor, ...set(local.word)],
    ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap(lookUp),
    ...set(local.crc),
    ...[...advance(SLICES), ...set(local.at), ...branch(0)],
    ...[...end, ...end],
  ];
  const oneByte = [
    ...blockVoid,
    ...loopVoid,
    ...[...get(local.at), ...get(local.end), ...i32GeU, ...branchIf(1)],
    ...[...get(local.crc), ...i32WrapI64, ...get(local.at), ...i32Load8U, ...i32Xor, ...i32Const(255), ...i32And],
    ...[...entry(0), ...get(local.crc), ...i64Const(8), ...i64ShrU, ...i64Xor, ...set(local.crc)],
    ...[...advance(1), ...set(local.at), ...branch(0)],
    ...[...end, ...end],
  ];
  const code = [1, 1, i64, ...eightBytes, ...oneByte, ...get(local.crc), ...end];
  return moduleOf([i64, i32, i32], [i64], code, PAGES);
}
