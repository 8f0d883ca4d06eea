import { randomBytes } from 'node:crypto';

/**
 * Which version of its object a record is. `sequence` puts the versions of one object in order: 1,024 a millisecond of
 * the time at which it was stored, and always more than the version before it, whatever the clock does.
 */
export interface VersionMark {
  readonly sequence: number;
  /** `null`, or 32 hexadecimal digits that sort newest first: 16 of the sequence, 16 random. */
  readonly id: string;
}

/** S3's name of the version that a bucket without versioning, or with suspended versioning, writes. */
export const NULL_VERSION = 'null';

const PER_MILLISECOND = 1024;
const WORD = 2 ** 32;
/** Bytes of a sequence in an index key. */
export const SEQUENCE_BYTES = 8;

/** The order of a version stored at this time, after one of order `newest`. */
export function sequenceAfter(newest: number, milliseconds: number): number {
  return Math.max(sequenceAt(milliseconds), newest + 1);
}

export function sequenceAt(milliseconds: number): number {
  return Math.floor(milliseconds) * PER_MILLISECOND;
}

/** A version with a name of its own. */
export function newVersion(sequence: number): VersionMark {
  return { sequence, id: versionId(sequence, randomBytes(8)) };
}

export function nullVersion(sequence: number): VersionMark {
  return { sequence, id: NULL_VERSION };
}

/** @param random 8 bytes */
export function versionId(sequence: number, random: Uint8Array): string {
  const bytes = Buffer.allocUnsafe(SEQUENCE_BYTES);
  writeDescending(bytes, 0, sequence);
  return bytes.toString('hex') + Buffer.from(random).toString('hex');
}

/** Sorts by the newest first. */
export function writeDescending(target: Buffer, at: number, sequence: number): void {
  const rest = Number.MAX_SAFE_INTEGER - sequence;
  target.writeUInt32BE(Math.floor(rest / WORD), at);
  target.writeUInt32BE(rest % WORD, at + 4);
}

export function readDescending(bytes: Buffer, at: number): number {
  return Number.MAX_SAFE_INTEGER - (bytes.readUInt32BE(at) * WORD + bytes.readUInt32BE(at + 4));
}

/** The order that a version's name tells; undefined when it is not one of ours. */
export function parseVersionId(id: string): number | undefined {
  if (!/^00[01][0-9a-f]{29}$/.test(id)) return undefined;
  return readDescending(Buffer.from(id.slice(0, SEQUENCE_BYTES * 2), 'hex'), 0);
}
