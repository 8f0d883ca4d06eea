import { openInline } from '../body/inline.ts';
import { BodyReader, type Piece } from '../body/reader.ts';
import { bodyKey } from '../body/reference.ts';
import type { Engine } from '../engine.ts';
import { StoreError, type StoreErrorDetails } from '../errors.ts';
import type { BucketRecord } from '../index/database.ts';
import { objectKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import { NULL_VERSION, parseVersionId } from '../index/version-ids.ts';
import type { ObjectInfo, OpenObject } from '../port.ts';
import { describeObject } from './describe.ts';
import { type FoundVersion, findVersion, newestNoncurrent } from './versions.ts';

export function objectInfo(engine: Engine, bucket: string, key: string, versionId?: string): ObjectInfo {
  const record = engine.buckets.require(bucket);
  return describeObject(
    engine.references,
    { name: bucket, record },
    key,
    requireVersion(engine, { name: bucket, record }, key, versionId).record,
  );
}

/**
 * The current version, or the one named. Also inside a transaction.
 * @throws StoreError `no-such-key`, `no-such-version`, `invalid-version`, `delete-marker`
 */
export function requireVersion(
  engine: Engine,
  bucket: { readonly name: string; readonly record: BucketRecord },
  key: string,
  versionId: string | undefined,
): FoundVersion {
  const where = { bucket: bucket.name, key, versionId };
  const name = { bucketId: bucket.record.id, key };
  if (versionId === undefined) {
    const record = engine.index.objects.get(objectKey(name.bucketId, key));
    if (record !== undefined) return { record, isCurrent: true };
    const marker = newestNoncurrent(engine, name);
    throw new StoreError('no-such-key', `there is no object ${key}`, { ...where, deleteMarker: markerOf(marker) });
  }
  checkVersionId(versionId, where);
  const found = findVersion(engine, name, versionId);
  if (found === undefined) throw new StoreError('no-such-version', `${key} has no version ${versionId}`, where);
  if (found.record.deleteMarker === true) {
    const deleteMarker = markerOf(found.record);
    throw new StoreError('delete-marker', `version ${versionId} of ${key} is a delete marker`, {
      ...where,
      deleteMarker,
    });
  }
  return found;
}

function markerOf(record: ObjectRecord | undefined): StoreErrorDetails['deleteMarker'] {
  return record && { versionId: record.version?.id ?? NULL_VERSION, modified: record.modified };
}

/** @throws StoreError `invalid-version` */
export function checkVersionId(versionId: string, where: StoreErrorDetails): void {
  if (versionId === NULL_VERSION || parseVersionId(versionId) !== undefined) return;
  throw new StoreError('invalid-version', `${versionId} is not a version id`, where);
}

export async function openObject(engine: Engine, bucket: string, key: string, versionId?: string): Promise<OpenObject> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const opened = await tryOpen(engine, bucket, key, versionId);
    if (opened !== undefined) return opened;
    // The look-up saw an older state of the index than the unlink that beat it: look again at the newest.
    engine.index.root.resetReadTxn();
  }
  throw new StoreError('damaged', `the body of ${key} is missing`, {
    bucket,
    key,
    advice: 'restore the object from a backup',
  });
}

/**
 * An object whose body needs no file: one that is empty or lies in the index. Undefined for any other, and when look-up
 * and body are not of one state of the index.
 * @throws StoreError `no-such-bucket`, `no-such-key`, `no-such-version`, `invalid-version`, `delete-marker`, `damaged`
 */
export function openInMemory(
  engine: Engine,
  bucket: string,
  key: string,
  versionId: string | undefined,
): OpenObject | undefined {
  return inMemory(engine, look(engine, bucket, key, versionId), key);
}

interface Found {
  readonly bucket: { readonly name: string; readonly record: BucketRecord };
  readonly record: ObjectRecord;
}

function look(engine: Engine, name: string, key: string, versionId: string | undefined): Found {
  const bucket = { name, record: engine.buckets.require(name) };
  return { bucket, record: requireVersion(engine, bucket, key, versionId).record };
}

async function tryOpen(
  engine: Engine,
  name: string,
  key: string,
  versionId: string | undefined,
): Promise<OpenObject | undefined> {
  const found = look(engine, name, key, versionId);
  const { body } = found.record;
  if (body.kind === 'empty' || body.kind === 'inline') return inMemory(engine, found, key);
  const info = describeObject(engine.references, found.bucket, key, found.record);
  const pieces = piecesOf(engine, body);
  const files = pieces.flatMap((piece) => (piece.body.kind === 'file' ? [piece.body] : []));
  const unpins = files.map((file) => engine.trash.pin(file));
  const unshare = await engine.trash.share(files);
  const reader = new BodyReader(engine.directory, engine.index, engine.readBuffers, pieces);
  const close = async () => {
    for (const unpin of unpins) unpin();
    await unshare();
    await reader.close();
  };
  try {
    const kept = files.length < 2 || sameBody(look(engine, name, key, versionId).record.body, body);
    if (kept && (await reader.open())) {
      return {
        info,
        inline: undefined,
        read: (start, end) => reader.read(start, end),
        send: (start, end, sink) => reader.send(start, end, sink),
        close,
      };
    }
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  return undefined;
}

/** Whether what was found before its files were held still is what they are held for. */
function sameBody(a: ObjectRecord['body'], b: ObjectRecord['body']): boolean {
  return a.kind !== 'empty' && b.kind !== 'empty' && a.segment === b.segment && a.sequence === b.sequence;
}

function piecesOf(engine: Engine, body: Exclude<ObjectRecord['body'], { kind: 'empty' | 'inline' }>): readonly Piece[] {
  if (body.kind === 'file') return [{ body, offset: 0 }];
  let offset = 0;
  return engine.references.parts(body).map((part) => {
    const piece = { body: part.body, offset };
    offset += part.body.size;
    return piece;
  });
}

const NOTHING = Buffer.alloc(0);

function inMemory(engine: Engine, { bucket, record }: Found, key: string): OpenObject | undefined {
  const { body } = record;
  const kept =
    body.kind === 'empty' ? NOTHING : body.kind === 'inline' ? engine.index.inline.get(bodyKey(body)) : undefined;
  if (kept === undefined) return undefined;
  const inline = openInline(kept, record.size);
  const info = describeObject(engine.references, bucket, key, record);
  return {
    info,
    inline,
    async *read(start, end) {
      yield inline.subarray(start, end);
    },
    send: (start, end, sink) => sink(inline.subarray(start, end)),
    close() {},
  };
}
