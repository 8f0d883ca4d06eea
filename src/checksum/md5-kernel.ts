import { instantiate, moduleOf, unsigned } from './wasm.ts';

/**
 * MD5 (RFC 1321) of four messages in lock step, one in each lane of WebAssembly's 128-bit vectors. MD5 is serial by nature,
 * so one message is no faster; four at once take a bit more than one by OpenSSL (docs/decisions/0010-checksums.md).
 */
export const LANES = 4;
export const BLOCK = 64;
/** Bytes of each message that fit into the kernel's memory at once. */
export const LANE_BYTES = 32 * 1024;

export interface Md5Kernel {
  /** Word `w` of the state of lane `l` is at `4 * w + l`. */
  readonly state: Uint32Array;
  /** Where the blocks of each lane lie. */
  readonly lanes: readonly Uint8Array[];
  /** Takes so many bytes, whole blocks, of every lane into its state. */
  run(bytes: number): void;
}

const PAGES = 3;
const DATA = 64;

/** One instance per thread; calls are synchronous, so it needs no lock. */
export function compileMd5(): Md5Kernel {
  const { memory, run } = instantiate(assemble(), PAGES, (given): given is (bytes: number) => void => {
    return typeof given === 'function';
  });
  const lanes = Array.from(
    { length: LANES },
    (_, lane) => new Uint8Array(memory, DATA + lane * LANE_BYTES, LANE_BYTES),
  );
  return { state: new Uint32Array(memory, 0, 4 * LANES), lanes, run };
}

/** How far each step rotates: by round, then by step within it. */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

// What follows names each instruction by its name in the WebAssembly specification.
const i32 = 0x7f;
const v128 = 0x7b;
const end = [0x0b];
const blockVoid = [0x02, 0x40];
const loopVoid = [0x03, 0x40];
const branch = (depth: number) => [0x0c, depth];
const branchIf = (depth: number) => [0x0d, depth];
const get = (index: number) => [0x20, index];
const set = (index: number) => [0x21, index];
const tee = (index: number) => [0x22, index];
const i32Const = (value: number) => [0x41, value];
const i32ConstBlock = [0x41, 0xc0, 0x00]; // 64, signed
const i32GeU = [0x4f];
const i32Add = [0x6a];
const vector = (opcode: number) => [0xfd, ...unsigned(opcode)];
const v128Load = (offset: number) => [...vector(0x00), 0, ...unsigned(offset)];
const v128Store = (offset: number) => [...vector(0x0b), 0, ...unsigned(offset)];
const v128Const = (word: number) => {
  const bytes = [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, (word >>> 24) & 255];
  return [...vector(0x0c), ...bytes, ...bytes, ...bytes, ...bytes];
};
const i8x16Shuffle = (lanes: readonly number[]) => [...vector(0x0d), ...lanes];
const v128Not = vector(0x4d);
const v128And = vector(0x4e);
const v128Andnot = vector(0x4f);
const v128Or = vector(0x50);
const v128Xor = vector(0x51);
const i32x4Shl = vector(0xab);
const i32x4ShrU = vector(0xad);
const i32x4Add = vector(0xae);

const local = { bytes: 0, at: 1, a: 2, b: 3, c: 4, d: 5, before: 6, words: 10, loaded: 26, pairs: 30, sum: 34 };
const LOCALS = [2, 1, i32, 33, v128];

function assemble(): Uint8Array<ArrayBuffer> {
  const state = [local.a, local.b, local.c, local.d];
  const block = [
    ...[0, 1, 2, 3].flatMap(transpose),
    ...state.flatMap((index, word) => [...get(index), ...set(local.before + word)]),
    ...Array.from({ length: 64 }, (_, step) => stepOf(step)).flat(),
    ...state.flatMap((index, word) => [...get(index), ...get(local.before + word), ...i32x4Add, ...set(index)]),
  ];
  const code = [
    ...LOCALS,
    ...state.flatMap((index, word) => [...i32Const(0), ...v128Load(16 * word), ...set(index)]),
    ...blockVoid,
    ...loopVoid,
    ...[...get(local.at), ...get(local.bytes), ...i32GeU, ...branchIf(1)],
    ...block,
    ...[...get(local.at), ...i32ConstBlock, ...i32Add, ...set(local.at), ...branch(0)],
    ...[...end, ...end],
    ...state.flatMap((index, word) => [...i32Const(0), ...get(index), ...v128Store(16 * word)]),
    ...end,
  ];
  return moduleOf([i32], [], code, PAGES);
}

/** From 16 bytes of each lane to four vectors, each with one word of every lane. */
function transpose(quarter: number): number[] {
  const load = [0, 1, 2, 3].flatMap((lane) => [
    ...get(local.at),
    ...v128Load(DATA + lane * LANE_BYTES + 16 * quarter),
    ...set(local.loaded + lane),
  ]);
  const low = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
  const high = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
  const first = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
  const second = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];
  const mix = (a: number, b: number, by: readonly number[], to: number) => [
    ...get(a),
    ...get(b),
    ...i8x16Shuffle(by),
    ...set(to),
  ];
  const { loaded, pairs } = local;
  const words = local.words + 4 * quarter;
  return [
    ...load,
    ...mix(loaded, loaded + 1, low, pairs),
    ...mix(loaded + 2, loaded + 3, low, pairs + 1),
    ...mix(loaded, loaded + 1, high, pairs + 2),
    ...mix(loaded + 2, loaded + 3, high, pairs + 3),
    ...mix(pairs, pairs + 1, first, words),
    ...mix(pairs, pairs + 1, second, words + 1),
    ...mix(pairs + 2, pairs + 3, first, words + 2),
    ...mix(pairs + 2, pairs + 3, second, words + 3),
  ];
}

/** Instead of moving a, b, c and d on, each step names them one further. */
function stepOf(step: number): number[] {
  const round = step >> 4;
  const names = [local.a, local.b, local.c, local.d];
  const [a = 0, b = 0, c = 0, d = 0] = names.map((_, at) => names[(at + 64 - step) % 4] ?? 0);
  const mixed = [
    [...get(c), ...get(d), ...v128Xor, ...get(b), ...v128And, ...get(d), ...v128Xor],
    [...get(b), ...get(d), ...v128And, ...get(c), ...get(d), ...v128Andnot, ...v128Or],
    [...get(c), ...get(d), ...v128Xor, ...get(b), ...v128Xor],
    [...get(d), ...v128Not, ...get(b), ...v128Or, ...get(c), ...v128Xor],
  ];
  const f = mixed[round] ?? [];
  const word = [step, 5 * step + 1, 3 * step + 5, 7 * step][round] ?? 0;
  const constant = Math.floor(2 ** 32 * Math.abs(Math.sin(step + 1)));
  const rotation = ROTATIONS[round]?.[step % 4] ?? 0;
  return [
    ...[...get(a), ...get(local.words + (word % 16)), ...v128Const(constant), ...i32x4Add, ...i32x4Add],
    ...[...f, ...i32x4Add, ...tee(local.sum)],
    ...[...i32Const(rotation), ...i32x4Shl, ...get(local.sum), ...i32Const(32 - rotation), ...i32x4ShrU, ...v128Or],
    ...[...get(b), ...i32x4Add, ...set(a)],
  ];
}
