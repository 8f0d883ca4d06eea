import { openInline } from '../body/inline.ts';
import { BodyReader, type Piece } from '../body/reader.ts';
import { bodyKey } from '../body/reference.ts';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import { objectKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { ObjectInfo, OpenObject } from '../port.ts';
import { describeObject } from './describe.ts';

export function objectInfo(engine: Engine, bucket: string, key: string): ObjectInfo {
  return describeObject(engine.references, bucket, key, requireObject(engine, bucket, key));
}

export function requireObject(engine: Engine, bucket: string, key: string): ObjectRecord {
  const record = engine.index.objects.get(objectKey(engine.buckets.require(bucket).id, key));
  if (record === undefined) throw new StoreError('no-such-key', `there is no object ${key}`, { bucket, key });
  return record;
}

export async function openObject(engine: Engine, bucket: string, key: string): Promise<OpenObject> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const opened = await tryOpen(engine, bucket, key);
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

async function tryOpen(engine: Engine, bucket: string, key: string): Promise<OpenObject | undefined> {
  const record = requireObject(engine, bucket, key);
  const { body } = record;
  const info = describeObject(engine.references, bucket, key, record);
  if (body.kind === 'empty') return inMemory(info, Buffer.alloc(0));
  if (body.kind === 'inline') {
    const inline = engine.index.inline.get(bodyKey(body));
    return inline === undefined ? undefined : inMemory(info, openInline(inline, body.size));
  }
  const pieces = piecesOf(engine, body);
  const unpins = pieces.flatMap((piece) => (piece.body.kind === 'file' ? [engine.trash.pin(piece.body)] : []));
  const reader = new BodyReader(engine.directory, engine.index, engine.readBuffers, pieces);
  const close = async () => {
    for (const unpin of unpins) unpin();
    await reader.close();
  };
  try {
    if (await reader.open()) {
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

function piecesOf(engine: Engine, body: Exclude<ObjectRecord['body'], { kind: 'empty' | 'inline' }>): readonly Piece[] {
  if (body.kind === 'file') return [{ body, offset: 0 }];
  let offset = 0;
  return engine.references.parts(body).map((part) => {
    const piece = { body: part.body, offset };
    offset += part.body.size;
    return piece;
  });
}

function inMemory(info: ObjectInfo, inline: Buffer): OpenObject {
  return {
    info,
    inline,
    async *read(start, end) {
      yield inline.subarray(start, end);
    },
    send: (start, end, sink) => sink(inline.subarray(start, end)),
    async close() {},
  };
}
