import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyFiles } from '../fault/orphans.ts';
import { bytesOf } from '../support/content.ts';
import { startService, type WireService } from './service.ts';

const MiB = 1024 * 1024;

/** Bytes that the disk changed are never answered with 200 and their full length. */
describe('a damaged body', () => {
  let s3: WireService;
  beforeEach(async () => {
    s3 = await startService();
    expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
  });
  afterEach(() => s3[Symbol.asyncDispose]());

  const put = async (size: number): Promise<{ readonly bytes: Buffer; readonly file: string }> => {
    const bytes = bytesOf('damaged', size);
    expect((await s3.ask('PUT', '/bucket/key', { body: bytes })).status).toBe(200);
    const [file = ''] = await bodyFiles(s3.directory);
    return { bytes, file: join(s3.directory, file) };
  };
  const flip = async (file: string, position: number) => {
    const handle = await open(file, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte.writeUInt8(byte.readUInt8(0) ^ 0x10, 0);
    await handle.write(byte, 0, 1, position);
    await handle.close();
  };
  const get = (range?: string) => s3.ask('GET', '/bucket/key', range === undefined ? {} : { headers: { range } });

  it.each([
    ['in its first bytes', 300_000, 5],
    ['in its last byte', 300_000, 299_999],
    ['in a body of one block', 40_000, 20_000],
  ])('%s is an error before anything is sent', async (_, size, position) => {
    const { file } = await put(size);
    await flip(file, position);
    expect(await get()).toMatchObject({ status: 500, code: 'InternalError' });
    expect(s3.events.at(-1)).toMatchObject({ operation: 'GetObject', status: 500 });
  });

  it('far behind its beginning cuts the answer short', async () => {
    const { file } = await put(20 * MiB);
    await flip(file, 18 * MiB);
    await expect(get()).rejects.toThrow(/aborted|hang up|reset/);
    // The next request finds the server well.
    expect((await s3.ask('HEAD', '/bucket/key')).status).toBe(200);
  });

  it('answers ranges that do not touch the damage, and no others', async () => {
    const { bytes, file } = await put(5 * MiB + 17);
    await flip(file, 3 * MiB + 70_000);
    const before = await get(`bytes=1000-${3 * MiB + 65_535}`);
    expect(before.status).toBe(206);
    expect(before.body.equals(bytes.subarray(1000, 3 * MiB + 65_536))).toBe(true);
    const after = await get(`bytes=${3 * MiB + 131_072}-`);
    expect(after.body.equals(bytes.subarray(3 * MiB + 131_072))).toBe(true);
    // The flipped bit itself is not in the range, but its block is.
    expect((await get(`bytes=${3 * MiB + 65_536}-${3 * MiB + 65_540}`)).status).toBe(500);
    expect((await get('bytes=-1')).body.equals(bytes.subarray(-1))).toBe(true);
  });

  it.each([299_999, 65_536, 0])('truncated to %i bytes is an error', async (size) => {
    const { file } = await put(300_000);
    await truncate(file, size);
    expect((await get()).status).toBe(500);
    expect((await get('bytes=299990-299999')).status).toBe(500);
  });

  it('that is missing is an error, and can be deleted and put anew', async () => {
    const { bytes, file } = await put(300_000);
    await rm(file);
    expect((await get()).status).toBe(500);
    expect((await s3.ask('PUT', '/bucket/other', { headers: { 'x-amz-copy-source': '/bucket/key' } })).status).toBe(
      200,
    );
    expect((await s3.ask('GET', '/bucket/other')).status).toBe(500);
    expect((await s3.ask('DELETE', '/bucket/key')).status).toBe(204);
    expect((await s3.ask('PUT', '/bucket/key', { body: bytes })).status).toBe(200);
    expect((await get()).body.equals(bytes)).toBe(true);
  });
});
