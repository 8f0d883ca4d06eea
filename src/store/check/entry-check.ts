import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DigestSet } from '../../checksum/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { KiB } from '../../core/sizes.ts';
import { openInline } from '../body/inline.ts';
import { type BodyReference, bodyKey, bodyPath, EMPTY_BODY, type FileBody } from '../body/reference.ts';
import { VerifiedFile } from '../body/verified-file.ts';
import { StoreError } from '../errors.ts';
import type { Index } from '../index/database.ts';
import { decodeManifest } from '../index/manifest.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { Rate } from './rate.ts';

/** What is wrong with an entry. `missing` and `bytes` mean that the object cannot be read whole. */
export interface Damage {
  readonly id: 'body-missing' | 'body-damaged' | 'size-differs' | 'etag-differs' | 'manifest-missing';
  readonly found: string;
  readonly expected: string;
}

export interface CheckedEntry {
  /** The bodies it refers to, the manifest too. */
  readonly bodies: readonly BodyReference[];
  readonly damage: Damage | undefined;
  /** Bytes that were read. */
  readonly read: number;
}

export interface EntryChecks {
  readonly directory: string;
  readonly index: Index;
  readonly rate: Rate;
  /** False: sizes only. */
  readonly bytes: boolean;
}

const CHUNK = 512 * KiB;

/** The bodies that an entry is made of, or why they are not known. */
export function bodiesOf(index: Index, { body, size }: ObjectRecord): readonly BodyReference[] | Damage {
  if (body.kind !== 'manifest') return [body];
  const bytes = index.manifests.get(bodyKey(body));
  if (bytes === undefined) {
    return { id: 'manifest-missing', found: 'its list of parts is not in the index', expected: 'a list of parts' };
  }
  const bodies = decodeManifest(bytes).map((part) => part.body);
  const sum = bodies.reduce((total, part) => total + part.size, 0);
  if (sum === size) return bodies;
  return { id: 'size-differs', found: `its parts have ${sum} bytes`, expected: `${size} bytes` };
}

/** Reads what an entry refers to and compares it with what the index says of it. */
export async function checkEntry(checks: EntryChecks, record: ObjectRecord): Promise<CheckedEntry> {
  if (record.deleteMarker === true) return { bodies: [], damage: undefined, read: 0 };
  const bodies = bodiesOf(checks.index, record);
  if ('id' in bodies) return { bodies: [], damage: bodies, read: 0 };
  const single = record.body.kind === 'manifest' ? undefined : bodies[0];
  if (single !== undefined && single !== EMPTY_BODY && single.size !== record.size) {
    const found = `its body has ${single.size} bytes`;
    return { bodies, damage: { id: 'size-differs', found, expected: `${record.size} bytes` }, read: 0 };
  }
  try {
    if (!checks.bytes) {
      for (const body of bodies) await assertThere(checks, body);
      return { bodies, damage: undefined, read: 0 };
    }
    const etag = await readAll(checks, record, bodies);
    const damage: Damage | undefined =
      etag === undefined || etag === record.etag
        ? undefined
        : { id: 'etag-differs', found: `its bytes have the entity tag ${etag}`, expected: record.etag };
    return { bodies, damage, read: record.size };
  } catch (error) {
    return { bodies, damage: damageOf(error), read: 0 };
  }
}

/** @returns the entity tag that the bytes have; undefined where it is not made of the bytes alone */
async function readAll(
  checks: EntryChecks,
  record: ObjectRecord,
  bodies: readonly BodyReference[],
): Promise<string | undefined> {
  const composite = record.etag.length > 32;
  const parts = createHash('md5');
  let whole = new DigestSet(['MD5']);
  for (const body of bodies) {
    for await (const chunk of bytesOf(checks, body)) whole.update(chunk);
    if (!composite) continue;
    parts.update(whole.digest().get('MD5') ?? Buffer.alloc(0));
    whole = new DigestSet(['MD5']);
  }
  // What a client's key encrypts has another entity tag than the bytes on the disk.
  if (record.sse !== undefined) return undefined;
  if (composite) return `${parts.digest('hex')}-${bodies.length}`;
  return whole.digest().get('MD5')?.toString('hex');
}

async function* bytesOf({ directory, index, rate }: EntryChecks, body: BodyReference): AsyncGenerator<Buffer> {
  if (body.kind === 'empty') return;
  if (body.kind === 'inline') {
    await rate.take(body.size);
    yield openInline(index.inline.get(bodyKey(body)), body.size);
    return;
  }
  assertNoted(index, body);
  const file = await VerifiedFile.open(directory, index, body);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let at = 0; at < body.size; ) {
      await rate.take(Math.min(CHUNK, body.size - at));
      const chunk = await file.read(buffer, at, body.size);
      at += chunk.length;
      yield chunk;
    }
    await assertThere({ directory, index }, body);
  } finally {
    await file.close();
  }
}

async function assertThere({ directory, index }: Pick<EntryChecks, 'directory' | 'index'>, body: BodyReference) {
  if (body.kind === 'empty') return;
  if (body.kind === 'inline') {
    openInline(index.inline.get(bodyKey(body)), body.size);
    return;
  }
  assertNoted(index, body);
  const { size } = await stat(join(directory, bodyPath(body)));
  if (size !== body.size) {
    throw new StoreError('damaged', `the body file ${bodyPath(body)} has ${size} bytes instead of ${body.size}`);
  }
}

/** A file without its note would be removed as an orphan some day, and a copy of it be counted wrong. */
function assertNoted(index: Index, body: FileBody): void {
  const noted = index.files.get(bodyKey(body));
  if (noted === undefined) throw new StoreError('damaged', `${bodyPath(body)} is not among the files of the index`);
  if (noted.size !== body.size) {
    throw new StoreError('damaged', `${bodyPath(body)} is noted with ${noted.size} bytes instead of ${body.size}`);
  }
}

function damageOf(error: unknown): Damage {
  const expected = 'the bytes that were written';
  if (error instanceof StoreError && error.code === 'damaged') {
    return { id: 'body-damaged', found: error.message, expected };
  }
  const code = systemErrorCode(error);
  if (code === 'ENOENT' && error instanceof Error)
    return { id: 'body-missing', found: 'its body file is missing', expected };
  // A disk that cannot read (EIO) is what fsck looks for; everything else is ours.
  if (code === undefined) throw error;
  return { id: 'body-damaged', found: `its body file cannot be read (${code})`, expected };
}
