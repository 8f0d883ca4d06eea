import type { Checksum, ChecksumAlgorithm, ChecksumType } from '../../checksum/index.ts';
import { type BodyReference, EMPTY_BODY } from '../body/reference.ts';
import type { ObjectAttributes, Retention, StoredHeader, Tags } from '../port.ts';
import { NULL_VERSION, sequenceAt, type VersionMark, versionId } from './version-ids.ts';

/**
 * The value of an object in the index: a fixed binary head that a listing can read without touching the rest, then a
 * JSON tail with what only a look-up of that object needs.
 *
 *   0 version  1 body kind  2 entity tag kind  3 storage class  4 checksum algorithm  5 checksum type  6-7 zero
 *   8 size f64  16 modified f64 (ms)  24 entity tag digest (16 bytes)  40 parts u32  44 body segment u32
 *   48 body sequence u32  52 tail (JSON, UTF-8, may be absent)
 *
 * Version 2, written once a bucket has had versioning, has flags at 6 (1: delete marker, 2: a version with a name of its
 * own) and between head and tail: 52 the version's order f64, 60 the random half of its name (8 bytes).
 */
export interface ObjectRecord extends ObjectAttributes {
  readonly size: number;
  readonly modified: number;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  readonly body: BodyReference | ManifestReference;
  /** Undefined: written while the bucket had never had versioning, so it is the null version. */
  readonly version?: VersionMark | undefined;
  readonly deleteMarker?: boolean | undefined;
}

/** What puts the versions of one object in order. */
export function sequenceOf(record: ObjectRecord): number {
  return record.version?.sequence ?? sequenceAt(record.modified);
}

/** The body of a completed multipart upload: its parts are listed in the manifest of this number. */
export interface ManifestReference {
  readonly kind: 'manifest';
  readonly segment: number;
  readonly sequence: number;
  readonly size: number;
}

export interface ListedObject {
  readonly size: number;
  readonly modified: number;
  readonly etag: string;
  readonly storageClass: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

interface Tail {
  readonly headers?: Readonly<Partial<Record<StoredHeader, string>>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tags?: Tags;
  readonly checksum?: string;
  readonly storageClass?: string;
  readonly acl?: string;
  readonly sse?: string;
  readonly retention?: Retention;
  readonly legalHold?: boolean;
}

const UNVERSIONED = 1;
const VERSIONED = 2;
const HEAD = 52;
const VERSIONED_HEAD = 68;
const FLAG_DELETE_MARKER = 1;
const FLAG_NAMED = 2;
const BODY_KINDS = ['empty', 'inline', 'file', 'manifest'] as const;
const ETAG_PLAIN = 0;
const ETAG_MULTIPART = 1;
/** Positions are stored: append only. Any other class goes to the tail. */
const STORAGE_CLASSES = ['STANDARD', 'STANDARD_IA', 'REDUCED_REDUNDANCY', 'ONEZONE_IA', 'INTELLIGENT_TIERING'];
const OTHER_CLASS = 255;
const ALGORITHMS: readonly (ChecksumAlgorithm | undefined)[] = [
  undefined,
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
];
const TYPES: readonly (ChecksumType | undefined)[] = [undefined, 'FULL_OBJECT', 'COMPOSITE'];

export function encodeObject(record: ObjectRecord): Buffer {
  const classCode = STORAGE_CLASSES.indexOf(record.storageClass);
  const tail = tailOf(record, classCode === -1);
  const { body, version } = record;
  const head = version === undefined ? HEAD : VERSIONED_HEAD;
  const buffer = Buffer.allocUnsafe(head + Buffer.byteLength(tail));
  buffer[0] = version === undefined ? UNVERSIONED : VERSIONED;
  buffer[1] = BODY_KINDS.indexOf(body.kind);
  buffer[3] = classCode === -1 ? OTHER_CLASS : classCode;
  buffer[4] = ALGORITHMS.indexOf(record.checksum?.algorithm);
  buffer[5] = TYPES.indexOf(record.checksum?.type);
  buffer[6] = 0;
  buffer[7] = 0;
  buffer.writeDoubleLE(record.size, 8);
  buffer.writeDoubleLE(record.modified, 16);
  writeEtag(buffer, record.etag);
  buffer.writeUInt32LE(body.kind === 'empty' ? 0 : body.segment, 44);
  buffer.writeUInt32LE(body.kind === 'empty' ? 0 : body.sequence, 48);
  if (version !== undefined) writeVersion(buffer, version, record.deleteMarker === true);
  buffer.write(tail, head);
  return buffer;
}

/** For listings: reads only the head, so it may be given bytes that are about to be reused. */
export function decodeListed(bytes: Buffer): ListedObject {
  return {
    size: bytes.readDoubleLE(8),
    modified: bytes.readDoubleLE(16),
    etag: readEtag(bytes),
    storageClass: STORAGE_CLASSES[bytes[3] ?? 0] ?? decodeObject(bytes).storageClass,
    checksumAlgorithm: ALGORITHMS[bytes[4] ?? 0],
    checksumType: TYPES[bytes[5] ?? 0],
  };
}

export function decodeObject(bytes: Buffer): ObjectRecord {
  const head = headOf(bytes);
  const tail: Tail = bytes.length === head ? {} : JSON.parse(bytes.toString('utf8', head, bytes.length));
  const algorithm = ALGORITHMS[bytes[4] ?? 0];
  const type = TYPES[bytes[5] ?? 0];
  return {
    size: bytes.readDoubleLE(8),
    modified: bytes.readDoubleLE(16),
    etag: readEtag(bytes),
    storageClass: tail.storageClass ?? STORAGE_CLASSES[bytes[3] ?? 0] ?? 'STANDARD',
    checksum:
      algorithm === undefined || type === undefined ? undefined : { algorithm, type, value: tail.checksum ?? '' },
    headers: tail.headers ?? NOTHING,
    metadata: tail.metadata ?? NOTHING,
    tags: tail.tags ?? NO_TAGS,
    acl: tail.acl,
    sse: tail.sse,
    retention: tail.retention,
    legalHold: tail.legalHold,
    body: readBody(bytes),
    version: head === HEAD ? undefined : readVersion(bytes),
    deleteMarker: isDeleteMarker(bytes),
  };
}

function headOf(bytes: Buffer): number {
  if (bytes[0] === UNVERSIONED) return HEAD;
  if (bytes[0] === VERSIONED) return VERSIONED_HEAD;
  throw new TypeError(`object record of version ${bytes[0]}, this program reads up to ${VERSIONED}`);
}

export interface ListedVersion extends ListedObject {
  readonly versionId: string;
  readonly deleteMarker: boolean;
}

/** For listings of versions: likewise without the tail. */
export function decodeListedVersion(bytes: Buffer): ListedVersion {
  return {
    ...decodeListed(bytes),
    versionId: headOf(bytes) === HEAD ? NULL_VERSION : readVersion(bytes).id,
    deleteMarker: isDeleteMarker(bytes),
  };
}

function isDeleteMarker(bytes: Buffer): boolean {
  return ((bytes[6] ?? 0) & FLAG_DELETE_MARKER) !== 0;
}

function writeVersion(buffer: Buffer, version: VersionMark, deleteMarker: boolean): void {
  const named = version.id !== NULL_VERSION;
  buffer[6] = (deleteMarker ? FLAG_DELETE_MARKER : 0) | (named ? FLAG_NAMED : 0);
  buffer.writeDoubleLE(version.sequence, HEAD);
  buffer.fill(0, HEAD + 8, VERSIONED_HEAD);
  if (named) buffer.write(version.id.slice(16), HEAD + 8, 'hex');
}

function readVersion(bytes: Buffer): VersionMark {
  const sequence = bytes.readDoubleLE(HEAD);
  const named = ((bytes[6] ?? 0) & FLAG_NAMED) !== 0;
  return { sequence, id: named ? versionId(sequence, bytes.subarray(HEAD + 8, VERSIONED_HEAD)) : NULL_VERSION };
}

const NOTHING = Object.freeze({});
const NO_TAGS: Tags = Object.freeze([]);

function tailOf(record: ObjectRecord, withClass: boolean): string {
  let hasTail = withClass || record.checksum !== undefined || record.tags.length > 0;
  if (record.acl !== undefined || record.sse !== undefined) hasTail = true;
  if (record.retention !== undefined || record.legalHold !== undefined) hasTail = true;
  for (const _ in record.headers) hasTail = true;
  for (const _ in record.metadata) hasTail = true;
  if (!hasTail) return '';
  const tail: Tail = {
    headers: record.headers,
    metadata: record.metadata,
    ...(record.tags.length > 0 && { tags: record.tags }),
    ...(record.checksum !== undefined && { checksum: record.checksum.value }),
    ...(record.acl !== undefined && { acl: record.acl }),
    ...(record.sse !== undefined && { sse: record.sse }),
    ...(record.retention !== undefined && { retention: record.retention }),
    ...(record.legalHold !== undefined && { legalHold: record.legalHold }),
    ...(withClass && { storageClass: record.storageClass }),
  };
  return JSON.stringify(tail);
}

function readBody(bytes: Buffer): ObjectRecord['body'] {
  const kind = BODY_KINDS[bytes[1] ?? 0] ?? 'empty';
  if (kind === 'empty') return EMPTY_BODY;
  return { kind, segment: bytes.readUInt32LE(44), sequence: bytes.readUInt32LE(48), size: bytes.readDoubleLE(8) };
}

function writeEtag(buffer: Buffer, etag: string): void {
  const multipart = etag.length > 32;
  buffer[2] = multipart ? ETAG_MULTIPART : ETAG_PLAIN;
  if (buffer.write(etag.slice(0, 32), 24, 'hex') !== 16) throw new TypeError(`not an entity tag of ours: ${etag}`);
  buffer.writeUInt32LE(multipart ? Number(etag.slice(33)) : 0, 40);
}

function readEtag(bytes: Buffer): string {
  const digest = bytes.toString('hex', 24, 40);
  return bytes[2] === ETAG_MULTIPART ? `${digest}-${bytes.readUInt32LE(40)}` : digest;
}
