import { type ObjectStore, StoreError } from '../../src/store/index.ts';
import { collect, putRequest } from '../contract/requests.ts';
import type { Listing } from './operations.ts';
import type { Request } from './resolve.ts';
import { md5 } from './state.ts';

/** What was answered, as far as it must be the same: `error` is the StoreError's code. */
export interface Outcome {
  readonly error?: string | undefined;
  /** The version's id, the upload's id. */
  readonly id?: string | undefined;
  readonly etag?: string;
  readonly digest?: string;
  readonly tag?: string;
  readonly marker?: boolean;
  readonly deleted?: boolean;
  readonly lines?: readonly string[];
}

export function bytesFor(letter: string, size: number): string {
  return letter.repeat(size);
}

/** Asks the store. Operations on the process itself (restart, time) are not for here. */
export async function run(store: ObjectStore, request: Request): Promise<Outcome> {
  try {
    return await ask(store, request);
  } catch (error) {
    if (error instanceof StoreError) return { error: error.code };
    throw error;
  }
}

async function ask(store: ObjectStore, request: Request): Promise<Outcome> {
  const { operation, versionId, upload, parts, condition } = request;
  switch (operation.kind) {
    case 'create-bucket':
      await store.createBucket({ name: operation.bucket, owner: 'root', region: 'r' });
      return {};
    case 'delete-bucket':
      await store.deleteBucket(operation.bucket);
      return {};
    case 'versioning':
      await store.setVersioning(operation.bucket, operation.status);
      return {};
    case 'put': {
      const { bucket, key, letter, size } = operation;
      const body = { bytes: Buffer.from(bytesFor(letter, size)) };
      const { etag, versionId: id } = await store.putObject(putRequest(bucket, key, body, { condition }));
      return { etag, id };
    }
    case 'delete': {
      const { bucket, key } = operation;
      const deleted = await store.deleteObject({ bucket, key, versionId, condition });
      return { id: deleted.versionId, marker: deleted.deleteMarker, deleted: deleted.deleted };
    }
    case 'read':
      return read(store, operation.bucket, operation.key, versionId);
    case 'tag': {
      const { bucket, key, tag } = operation;
      const info = await store.changeObject({ bucket, key, versionId, change: { tags: [['t', tag]] } });
      return { id: info.versionId };
    }
    case 'copy': {
      const source = { bucket: operation.bucket, key: operation.key, versionId };
      const rest = { accept: () => undefined, attributes: {}, checksumAlgorithm: undefined, condition };
      const { etag, versionId: id } = await store.copyObject({ source, ...operation.to, ...rest });
      return { etag, id };
    }
    case 'begin': {
      const attributes = putRequest(operation.bucket, operation.key, { bytes: Buffer.alloc(0) });
      const begun = await store.createUpload({ ...attributes, checksumAlgorithm: undefined, checksumType: undefined });
      return { id: begun.uploadId };
    }
    case 'part': {
      const body = { bytes: Buffer.from(partBytes(operation)) };
      const part = { ...putRequest(upload.bucket, upload.key, body), ...upload, partNumber: operation.part };
      return { etag: (await store.putPart(part)).etag };
    }
    case 'complete': {
      const made = await store.completeUpload({ ...upload, parts, checksum: undefined, size: undefined, condition });
      return { etag: made.etag, id: made.versionId };
    }
    case 'abort':
      await store.abortUpload(upload.bucket, upload.key, upload.uploadId);
      return {};
    case 'list':
      return { lines: await pages(store, operation) };
    case 'list-versions':
      return { lines: await versionPages(store, operation) };
    case 'restart':
    case 'time':
      return {};
  }
}

async function read(store: ObjectStore, bucket: string, key: string, versionId: string | undefined): Promise<Outcome> {
  const opened = await store.openObject(bucket, key, versionId);
  try {
    const { info } = opened;
    const bytes = opened.inline ?? (await collect(opened.read(0, info.size)));
    const digest = md5(bytes.toString());
    return { id: info.versionId, etag: info.etag, digest, tag: info.tags[0]?.[1] ?? '' };
  } finally {
    await opened.close();
  }
}

/** All pages of a listing, a line an entry. */
async function pages(store: ObjectStore, { bucket, prefix, delimiter, limit }: Listing): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let after: string | undefined; lines.length < MOST_LINES; ) {
    const page = await store.listObjects({ bucket, prefix, delimiter, after, limit });
    for (const entry of page.entries) {
      after = entry.kind === 'prefix' ? entry.prefix : entry.key;
      lines.push(entry.kind === 'prefix' ? `${entry.prefix}…` : objectLine(entry.key, entry));
    }
    if (!page.truncated) break;
  }
  return lines;
}

async function versionPages(store: ObjectStore, listing: Listing): Promise<readonly string[]> {
  const { bucket, prefix, delimiter, limit } = listing;
  const lines: string[] = [];
  let after: { readonly key: string; readonly versionId: string | undefined } | undefined;
  while (lines.length < MOST_LINES) {
    const page = await store.listVersions({ bucket, prefix, delimiter, after, limit });
    for (const entry of page.entries) {
      if (entry.kind === 'prefix') {
        after = { key: entry.prefix, versionId: undefined };
        lines.push(`${entry.prefix}…`);
      } else {
        after = { key: entry.key, versionId: entry.versionId };
        lines.push(
          versionLine(
            entry.key,
            { ...entry, id: entry.versionId, marker: entry.kind === 'delete-marker' },
            entry.isLatest,
          ),
        );
      }
    }
    if (!page.truncated) break;
  }
  return lines;
}

/** A listing that never ends is a failure too. */
const MOST_LINES = 500;

export function objectLine(key: string, { etag, size }: { readonly etag: string; readonly size: number }): string {
  return `${key} ${etag} ${size}`;
}

export function versionLine(
  key: string,
  version: { readonly id: string; readonly marker: boolean; readonly etag: string; readonly size: number },
  isLatest: boolean,
): string {
  const what = version.marker ? 'marker' : `${version.etag} ${version.size}`;
  return `${key} ${version.id} ${what}${isLatest ? ' latest' : ''}`;
}

/** Parts are never empty, so that no part is under the least size. */
export function partBytes({ letter, size }: { readonly letter: string; readonly size: number }): string {
  return bytesFor(letter, size + 1);
}
