import { formatBytes } from '../core/sizes.ts';
import type { BodyInput, ObjectStore, UploadInfo } from '../store/port.ts';
import type { Quota } from './access.ts';
import { S3Error } from './errors.ts';

/** How long a count of unfinished uploads holds, in milliseconds; parts of this process are added at once. */
const COUNT_MS = 1_000;
const PAGE = 1_000;

interface Tally {
  /** Declared by writes that are under way. */
  reserved: number;
  /** Of parts of unfinished uploads, which are no objects yet. */
  unfinished: number;
  counted: number;
}

/** What the users of one process are about to write. Several processes may each let one more write through. */
export type QuotaLedger = (store: ObjectStore, quota: Quota) => ObjectStore;

/**
 * Refuses writes that would bring buckets above a user's quota: objects, versions, parts of unfinished uploads and what is
 * under way count. An overwrite needs room for both, since the former is there until the new one is whole.
 */
export function quotaLedger(): QuotaLedger {
  const tallies = new Map<string, Tally>();

  return function limited(store, quota) {
    const name = quota.buckets.join(' ');
    const tally = tallies.get(name) ?? { reserved: 0, unfinished: 0, counted: Number.NEGATIVE_INFINITY };
    tallies.set(name, tally);

    async function used(): Promise<number> {
      if (performance.now() - tally.counted > COUNT_MS) {
        tally.counted = performance.now();
        let bytes = 0;
        for (const bucket of quota.buckets) bytes += await unfinishedBytes(store, bucket);
        tally.unfinished = bytes;
      }
      const usages = await store.usage();
      const kept = usages
        .filter(({ bucket }) => quota.buckets.includes(bucket))
        .reduce((sum, { bytes }) => sum + bytes, 0);
      return kept + tally.unfinished + tally.reserved;
    }

    async function within<T>(bucket: string, bytes: number, write: () => Promise<T>): Promise<T> {
      if (!quota.buckets.includes(bucket)) return write();
      const before = await used();
      if (before + bytes > quota.bytes) throw exceeded(quota, before);
      tally.reserved += bytes;
      try {
        return await write();
      } finally {
        tally.reserved -= bytes;
      }
    }

    const writes: Pick<ObjectStore, 'putObject' | 'putPart' | 'copyObject'> = {
      putObject: (request) =>
        within(request.bucket, lengthOf(request.body), async () => {
          const room = await roomFor(request.body);
          return store.putObject({ ...request, body: room });
        }),
      putPart: (request) =>
        within(request.bucket, lengthOf(request.body), async () => {
          const room = await roomFor(request.body);
          const part = await store.putPart({ ...request, body: room });
          tally.unfinished += part.size;
          return part;
        }),
      async copyObject(request) {
        const { bucket, key, versionId } = request.source;
        const { size } = await store.objectInfo(bucket, key, versionId);
        return within(request.bucket, size, () => store.copyObject(request));
      },
    };

    /** A body that does not say how long it is ends where the room does. */
    async function roomFor(body: BodyInput): Promise<BodyInput> {
      if ('bytes' in body || body.length !== undefined) return body;
      const before = await used();
      return { ...body, chunks: atMost(body.chunks, quota.bytes - before, () => exceeded(quota, before)) };
    }

    return new Proxy(store, {
      get(target, member) {
        const ours: unknown = Reflect.get(writes, member);
        if (ours !== undefined) return ours;
        const theirs: unknown = Reflect.get(target, member);
        return typeof theirs === 'function' ? theirs.bind(target) : theirs;
      },
    });
  };
}

const lengthOf = (body: BodyInput): number => ('bytes' in body ? body.bytes.length : (body.length ?? 0));

async function* atMost(chunks: AsyncIterable<Buffer>, room: number, refuse: () => S3Error): AsyncGenerator<Buffer> {
  let left = room;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) throw refuse();
    yield chunk;
  }
}

const exceeded = ({ bytes, buckets }: Quota, used: number): S3Error =>
  new S3Error(
    'QuotaExceeded',
    `${buckets.join(', ')} may hold ${formatBytes(bytes)}, and ${formatBytes(used)} are used. Reads and deletes go on.`,
  );

async function unfinishedBytes(store: ObjectStore, bucket: string): Promise<number> {
  let bytes = 0;
  let after: Parameters<ObjectStore['listUploads']>[0]['after'];
  for (;;) {
    const page = await store.listUploads({ bucket, prefix: '', delimiter: '', after, limit: PAGE });
    const uploads = page.entries.flatMap((entry) => (entry.kind === 'upload' ? [entry.upload] : []));
    for (const upload of uploads) bytes += await partBytes(store, upload);
    const last = uploads.at(-1);
    if (!page.truncated || last === undefined) return bytes;
    after = { key: last.key, uploadId: last.uploadId };
  }
}

async function partBytes(store: ObjectStore, { bucket, key, uploadId }: UploadInfo): Promise<number> {
  let bytes = 0;
  let after = 0;
  for (;;) {
    const { parts, truncated } = await store.listParts({ bucket, key, uploadId, after, limit: PAGE });
    for (const { size } of parts) bytes += size;
    const last = parts.at(-1);
    if (!truncated || last === undefined) return bytes;
    after = last.number;
  }
}
