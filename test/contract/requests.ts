import { expect } from 'vitest';
import {
  type BodyInput,
  type ObjectStore,
  type PutObject,
  StoreError,
  type StoreErrorCode,
} from '../../src/store/index.ts';

export function putRequest(bucket: string, key: string, body: BodyInput, more: Partial<PutObject> = {}): PutObject {
  return {
    bucket,
    key,
    body,
    digests: [],
    accept: () => undefined,
    headers: {},
    metadata: {},
    tags: [],
    storageClass: 'STANDARD',
    ...more,
  };
}

export async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const collected: Buffer[] = [];
  for await (const chunk of chunks) collected.push(Buffer.from(chunk));
  return Buffer.concat(collected);
}

export async function readWhole(store: ObjectStore, bucket: string, key: string, versionId?: string): Promise<Buffer> {
  const opened = await store.openObject(bucket, key, versionId);
  try {
    return opened.inline ?? (await collect(opened.read(0, opened.info.size)));
  } finally {
    await opened.close();
  }
}

export async function refuses(work: Promise<unknown>, code: StoreErrorCode): Promise<void> {
  await expect(work).rejects.toSatisfy(
    (error) => error instanceof StoreError && error.code === code,
    `a StoreError of code ${code}`,
  );
}
