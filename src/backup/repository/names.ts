/** Where things lie below a repository's prefix (docs/reference/backup-format.md). */
export const sourcesFolder = 'sources/';
export const sourceFolder = (source: string): string => `${sourcesFolder}${source}/`;

/** A source's name: one step of a key, and of a file's path. */
export const sourcePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What a snapshot's key tells without reading it. */
export interface SnapshotName {
  /** Its key below the source's folder. */
  readonly key: string;
  readonly sequence: number;
  /** Milliseconds since 1970 UTC. */
  readonly time: number;
  readonly id: string;
}

const LAST_SEQUENCE = 9_999_999_999;
const pattern = /^snapshots\/(\d{10})-(\d{13})-([0-9a-f]{16})$/;

/**
 * The greatest sequence first in the order of keys, so that the newest is one request whatever the repository's age; by
 * sequence and not by time, since a clock may jump.
 */
export function snapshotKey({ sequence, time, id }: Omit<SnapshotName, 'key'>): string {
  return `snapshots/${String(LAST_SEQUENCE - sequence).padStart(10, '0')}-${String(time).padStart(13, '0')}-${id}`;
}

/** Undefined: it is none of ours, or of a newer release. */
export function parseSnapshotKey(key: string): SnapshotName | undefined {
  const [, order, time, id] = pattern.exec(key) ?? [];
  if (order === undefined || time === undefined || id === undefined) return undefined;
  return { key, sequence: LAST_SEQUENCE - Number(order), time: Number(time), id };
}

const LAST_TIME = 9_999_999_999_999;

/** Of a record of something that happened at a time; the newest first. */
export function recordKey(kind: string, time: number, id: string): string {
  return `${kind}/${String(LAST_TIME - time).padStart(13, '0')}-${id}`;
}

export const packKey = (name: string): string => `packs/${name}`;
export const documentKey = (name: string): string => `documents/${name}`;
