import { BackupError } from '../errors.ts';

/**
 * MDBX's data file as libmdbx 0.11 to 0.14 write it (data version 3, and 2 before it; little endian; structs packed to
 * 4 bytes). Offsets were read from `mdbx-internals.h` and are held to files of the real library by test/backup.
 */
export const HEADER_BYTES = 20;
export const META_PAGES = 3;
export const TREE_BYTES = 48;
/** A page number that says: none. */
export const NO_PAGE = 0xff_ff_ff_ff;
export const MIN_PAGE_SIZE = 256;
export const MAX_PAGE_SIZE = 65_536;

export const pageFlag = { branch: 1, leaf: 2, large: 4, meta: 8, dupfix: 0x20, sub: 0x40, spilled: 0x2000 } as const;
export const nodeFlag = { big: 1, tree: 2, dup: 4 } as const;
export const treeFlag = {
  reverseKey: 2,
  dupsort: 4,
  integerKey: 8,
  dupfixed: 0x10,
  integerDup: 0x20,
  reverseDup: 0x40,
};

/** A 64-bit count or transaction number. They stay far below 2^53; what does not is damage, and larger than any limit. */
export const u64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;

export interface Tree {
  readonly flags: number;
  readonly height: number;
  readonly dupfixSize: number;
  readonly root: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly largePages: number;
  readonly items: number;
}

export function readTree(bytes: Buffer, at: number): Tree {
  return {
    flags: bytes.readUInt16LE(at),
    height: bytes.readUInt16LE(at + 2),
    dupfixSize: bytes.readUInt32LE(at + 4),
    root: bytes.readUInt32LE(at + 8),
    branchPages: bytes.readUInt32LE(at + 12),
    leafPages: bytes.readUInt32LE(at + 16),
    largePages: bytes.readUInt32LE(at + 20),
    items: u64(bytes, at + 32),
  };
}

/** One of the three meta pages: the root of a committed transaction. */
export interface Meta {
  /** 0 to 2: which page it is. */
  readonly slot: number;
  readonly txnid: number;
  readonly pageSize: number;
  /** Pages of the file, and the first page that no transaction ever used. */
  readonly endPage: number;
  readonly firstUnallocated: number;
  readonly gc: Tree;
  readonly main: Tree;
  /** Whether it was synced to the disk: survives the host, not just the process. */
  readonly steady: boolean;
  /** Hexadecimal, of the boot it was written in and of the environment; zeros where unknown. */
  readonly bootId: string;
  readonly environmentId: string;
  /** The meta as it was read, for the copy: header and content. */
  readonly bytes: Buffer;
}

/** Bytes of a meta page that matter; the rest of the page is zero. */
export const META_BYTES = 244;
const MAGIC = 0x59_65_9d_bd_ef_4c_11n;

/** @returns undefined for a page that is no meta, or one in the middle of its update */
export function readMeta(bytes: Buffer, slot: number): Meta | undefined {
  if (bytes.length < META_BYTES || (bytes.readUInt16LE(10) & pageFlag.meta) === 0) return undefined;
  const magic = bytes.readBigUInt64LE(20);
  if (magic >> 8n !== MAGIC) return undefined;
  const version = Number(magic & 0xffn);
  if (version !== 2 && version !== 3) {
    throw new BackupError('not-mdbx', `MDBX data of the unknown version ${version}`, {
      advice: 'this release reads the versions 2 and 3: use --method mdbx_copy with the tool of that libmdbx',
    });
  }
  const txnid = u64(bytes, 28);
  if (txnid === 0 || txnid !== u64(bytes, 196)) return undefined;
  const pageSize = bytes.readUInt32LE(64);
  if (pageSize < MIN_PAGE_SIZE || pageSize > MAX_PAGE_SIZE || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const [endPage, firstUnallocated] = [bytes.readUInt32LE(52), bytes.readUInt32LE(56)];
  if (firstUnallocated < META_PAGES || firstUnallocated > endPage) return undefined;
  return {
    slot,
    txnid,
    pageSize,
    endPage,
    firstUnallocated,
    gc: { ...readTree(bytes, 60), dupfixSize: 0 },
    main: readTree(bytes, 108),
    steady: bytes.readUInt32LE(188) > 1 || bytes.readUInt32LE(192) > 0,
    bootId: bytes.toString('hex', 212, 228),
    environmentId: bytes.toString('hex', 228, 244),
    bytes: Buffer.from(bytes.subarray(0, META_BYTES)),
  };
}

export interface PageHeader {
  readonly txnid: number;
  readonly flags: number;
  readonly lower: number;
  readonly upper: number;
  /** Of a large page: how many pages the run has. */
  readonly pages: number;
  readonly pgno: number;
}

export function readHeader(bytes: Buffer, at = 0): PageHeader {
  return {
    txnid: u64(bytes, at),
    flags: bytes.readUInt16LE(at + 10) & ~pageFlag.spilled,
    lower: bytes.readUInt16LE(at + 12),
    upper: bytes.readUInt16LE(at + 14),
    pages: bytes.readUInt32LE(at + 12),
    pgno: bytes.readUInt32LE(at + 16),
  };
}
