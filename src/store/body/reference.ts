/**
 * Where the bytes of an object or part are. A body is written once and never changed. Its number is a segment (a
 * directory of a bounded number of files, or of inline values written at the same time) and a place in it.
 */
export type BodyReference =
  | { readonly kind: 'empty'; readonly size: 0 }
  | { readonly kind: 'inline'; readonly segment: number; readonly sequence: number; readonly size: number }
  | { readonly kind: 'file'; readonly segment: number; readonly sequence: number; readonly size: number };

export type StoredBody = Exclude<BodyReference, { kind: 'empty' }>;
export type FileBody = Extract<BodyReference, { kind: 'file' }>;

export const EMPTY_BODY: BodyReference = { kind: 'empty', size: 0 };

/** The index key of a body: its segment and sequence, big-endian. */
export function bodyKey(body: { readonly segment: number; readonly sequence: number }): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt32BE(body.segment, 0);
  key.writeUInt32BE(body.sequence, 4);
  return key;
}

export function bodyOfKey(key: Buffer): { readonly segment: number; readonly sequence: number } {
  return { segment: key.readUInt32BE(0), sequence: key.readUInt32BE(4) };
}

/** Relative to the data directory: `bodies/0a/0000070a/00000017`. User keys never become file names. */
export function segmentPath(segment: number): string {
  const name = segment.toString(16).padStart(8, '0');
  return `bodies/${name.slice(6)}/${name}`;
}

export function bodyPath(body: { readonly segment: number; readonly sequence: number }): string {
  return `${segmentPath(body.segment)}/${body.sequence.toString(16).padStart(8, '0')}`;
}
