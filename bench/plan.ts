import { KiB, MiB } from '../src/core/sizes.ts';

export const serverIds = ['null', 'file', 'ours', 'cores', 's3rver', 'fauxqs', 'moto', 'rgw', 'minio'] as const;
export type ServerId = (typeof serverIds)[number];

export const cellIds = [
  'put1k',
  'put1k-sha256',
  'delete1k',
  'get1k',
  'head',
  'list1000',
  'put1m',
  'put1m-sha256',
  'get1m',
  'put64m',
  'put64m-sha256',
  'get64m',
  'mpu8x8m',
  'mpu8x8m-sha256',
] as const;
export type CellId = (typeof cellIds)[number];

/** One kind of request, measured at several numbers of clients. */
export interface Cell {
  readonly id: CellId;
  readonly title: string;
  /** `wrk` for small requests (a Node driver would be the limit), `bulk` for bodies that are large against a request. */
  readonly driver: 'wrk' | 'bulk';
  /** Bytes a request carries, either way; what `MB/s` is computed from. */
  readonly bytes: number;
  readonly rate: 'ops/s' | 'MB/s';
  /** Which of the asked-for numbers of clients this cell is run at. */
  readonly clients: (asked: readonly number[]) => readonly number[];
  /** Which ceilings can answer it at all; the raw file ceiling has no index to list. */
  readonly notOn?: readonly ServerId[];
}

/** Peers that have what they acknowledged on the disk; the others keep it in memory, or leave it to the kernel. */
export const durablePeers: readonly ServerId[] = ['rgw', 'minio'];
export const otherPeers: readonly ServerId[] = ['s3rver', 'fauxqs', 'moto'];

const every = (asked: readonly number[]): readonly number[] => asked;
const highest = (asked: readonly number[]): readonly number[] => asked.slice(-1);
/**
 * 64 clients with 64 MiB each are 4 GiB in flight, which servers that buffer a body whole would have to hold; these
 * cells run at 1, 4 and 16 instead.
 */
const large = (asked: readonly number[]): readonly number[] => [
  ...new Set(asked.map((clients) => (clients <= 1 ? clients : Math.max(2, Math.floor(clients / 4))))),
];

export const listedObjects = 10_000;
export const listPage = 1_000;
export const smallBytes = KiB;
export const partBytes = 8 * MiB;
export const partCount = 8;

/** In the order they run: DELETE removes what the PUT before it, at the same number of clients, has written. */
export const cells: readonly Cell[] = [
  { id: 'put1k', title: 'PUT 1 KiB', driver: 'wrk', bytes: smallBytes, rate: 'ops/s', clients: every },
  { id: 'delete1k', title: 'DELETE 1 KiB', driver: 'wrk', bytes: 0, rate: 'ops/s', clients: every },
  {
    id: 'put1k-sha256',
    title: 'PUT 1 KiB, signed payload',
    driver: 'wrk',
    bytes: smallBytes,
    rate: 'ops/s',
    clients: highest,
  },
  { id: 'get1k', title: 'GET 1 KiB', driver: 'wrk', bytes: smallBytes, rate: 'ops/s', clients: every },
  // Of empty objects: wrk would wait for the body that a HEAD's Content-Length names. The look-up is the same.
  { id: 'head', title: 'HEAD', driver: 'wrk', bytes: 0, rate: 'ops/s', clients: every },
  {
    id: 'list1000',
    title: 'LIST 1,000 of 10,000',
    driver: 'wrk',
    bytes: 0,
    rate: 'ops/s',
    clients: every,
    notOn: ['file'],
  },
  { id: 'put1m', title: 'PUT 1 MiB', driver: 'bulk', bytes: MiB, rate: 'MB/s', clients: every },
  {
    id: 'put1m-sha256',
    title: 'PUT 1 MiB, signed payload',
    driver: 'bulk',
    bytes: MiB,
    rate: 'MB/s',
    clients: highest,
  },
  { id: 'get1m', title: 'GET 1 MiB', driver: 'bulk', bytes: MiB, rate: 'MB/s', clients: every, notOn: ['null'] },
  { id: 'put64m', title: 'PUT 64 MiB', driver: 'bulk', bytes: 64 * MiB, rate: 'MB/s', clients: large },
  {
    id: 'put64m-sha256',
    title: 'PUT 64 MiB, signed payload',
    driver: 'bulk',
    bytes: 64 * MiB,
    rate: 'MB/s',
    clients: (asked) => large(highest(asked)),
  },
  { id: 'get64m', title: 'GET 64 MiB', driver: 'bulk', bytes: 64 * MiB, rate: 'MB/s', clients: large, notOn: ['null'] },
  {
    id: 'mpu8x8m',
    title: 'multipart 8 × 8 MiB',
    driver: 'bulk',
    bytes: partBytes * partCount,
    rate: 'MB/s',
    clients: large,
  },
  {
    id: 'mpu8x8m-sha256',
    title: 'multipart 8 × 8 MiB, signed payload',
    driver: 'bulk',
    bytes: partBytes * partCount,
    rate: 'MB/s',
    clients: (asked) => large(highest(asked)),
  },
];

export function isCellId(text: string): text is CellId {
  return cellIds.some((id) => id === text);
}

export function isServerId(text: string): text is ServerId {
  return serverIds.some((id) => id === text);
}
