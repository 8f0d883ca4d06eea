import type { Checksum } from '../../checksum/index.ts';
import { type BodyReference, EMPTY_BODY } from '../body/reference.ts';

/** The parts of a completed multipart upload, in order. */
export interface ManifestPart {
  readonly number: number;
  readonly body: BodyReference;
  readonly checksum: Checksum | undefined;
  readonly sse?: string | undefined;
}

/**
 *   0 version  1-3 zero  4 count u32  8 entries of 20 bytes: number u16, kind u8, zero u8, segment u32, sequence u32,
 *   size f64; then JSON: one checksum or null a part, absent when no part has one. Of encrypted parts it is an object of
 *   two such lists.
 */
const VERSION = 1;
const HEAD = 8;
const ENTRY = 20;
const KINDS = ['empty', 'inline', 'file'] as const;

export function encodeManifest(parts: readonly ManifestPart[]): Buffer {
  const tail = tailOf(parts);
  const entriesEnd = HEAD + ENTRY * parts.length;
  const buffer = Buffer.alloc(entriesEnd + Buffer.byteLength(tail));
  buffer[0] = VERSION;
  buffer.writeUInt32LE(parts.length, 4);
  let at = HEAD;
  for (const { number, body } of parts) {
    buffer.writeUInt16LE(number, at);
    buffer[at + 2] = KINDS.indexOf(body.kind);
    buffer.writeUInt32LE(body.kind === 'empty' ? 0 : body.segment, at + 4);
    buffer.writeUInt32LE(body.kind === 'empty' ? 0 : body.sequence, at + 8);
    buffer.writeDoubleLE(body.size, at + 12);
    at += ENTRY;
  }
  buffer.write(tail, entriesEnd);
  return buffer;
}

interface Tail {
  readonly checksums: readonly (Checksum | null)[];
  readonly sse?: readonly (string | null)[];
}

function tailOf(parts: readonly ManifestPart[]): string {
  const checksums = parts.map((part) => part.checksum ?? null);
  if (parts.some((part) => part.sse !== undefined)) {
    return JSON.stringify({ checksums, sse: parts.map((part) => part.sse ?? null) } satisfies Tail);
  }
  return checksums.some((checksum) => checksum !== null) ? JSON.stringify(checksums) : '';
}

function parseTail(text: string): Tail {
  if (text === '') return { checksums: [] };
  const tail: Tail | Tail['checksums'] = JSON.parse(text);
  return 'checksums' in tail ? tail : { checksums: tail };
}

export function decodeManifest(bytes: Buffer): readonly ManifestPart[] {
  if (bytes[0] !== VERSION) throw new TypeError(`manifest of version ${bytes[0]}, this program reads ${VERSION}`);
  const count = bytes.readUInt32LE(4);
  const entriesEnd = HEAD + ENTRY * count;
  const { checksums, sse } = parseTail(bytes.toString('utf8', entriesEnd, bytes.length));
  const parts: ManifestPart[] = [];
  for (let index = 0, at = HEAD; index < count; index += 1, at += ENTRY) {
    const kind = KINDS[bytes[at + 2] ?? 0] ?? 'empty';
    const body: BodyReference =
      kind === 'empty'
        ? EMPTY_BODY
        : {
            kind,
            segment: bytes.readUInt32LE(at + 4),
            sequence: bytes.readUInt32LE(at + 8),
            size: bytes.readDoubleLE(at + 12),
          };
    parts.push({
      number: bytes.readUInt16LE(at),
      body,
      checksum: checksums[index] ?? undefined,
      sse: sse?.[index] ?? undefined,
    });
  }
  return parts;
}
