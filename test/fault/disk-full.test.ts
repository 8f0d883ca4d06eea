import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';
import { listVersions } from './versions.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const canMount = process.platform === 'linux' && process.getuid?.() === 0;

/** A server on a file system of its own, of 96 MiB. */
skipUnless(canMount, 'mounting a small file system needs Linux and root')('a full disk', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: TestServer;
  let client: LeanClient;
  const objects = new Map<string, Buffer>();

  beforeEach(async () => {
    directory = await temporaryDirectory('full');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'bucketwright-test', directory.path]);
    server = await startServer({ data: directory.path });
    client = new LeanClient(server, 8);
    objects.clear();
    expect((await client.send('PUT', '/full')).status).toBe(200);
  });
  afterEach(async () => {
    client.close();
    await server.stop();
    execFileSync('umount', [directory.path]);
    await directory.remove();
  });

  const restart = async (args: readonly string[] = []) => {
    client.close();
    await server.stop();
    server = await startServer({ data: directory.path, args });
    client = new LeanClient(server, 8);
  };
  const put = async (key: string, size: number) => {
    const bytes = randomBytes(size);
    const answer = await client.send('PUT', `/full/${key}`, bytes);
    if (answer.status === 200) objects.set(key, bytes);
    return answer;
  };
  const remove = async (key: string) => {
    objects.delete(key);
    return (await client.send('DELETE', `/full/${key}`)).status;
  };
  /** Everything acknowledged is there, whole, and nothing else. */
  const expectIntact = async () => {
    for (const [key, bytes] of objects) {
      const got = await client.send('GET', `/full/${key}`);
      expect(got.status).toBe(200);
      expect(got.body.equals(bytes)).toBe(true);
    }
    expect(await listed()).toBe(objects.size);
  };
  const listed = async () => {
    let count = 0;
    for (let after = '', more = true; more; ) {
      const page = (await client.send('GET', `/full?list-type=2&start-after=${after}`)).body.toString();
      const keys = [...page.matchAll(/<Key>([^<]+)</g)].map(([, key = '']) => key);
      count += keys.length;
      after = keys.at(-1) ?? '';
      more = page.includes('<IsTruncated>true<');
    }
    return count;
  };
  const fill = async (prefix: string, size: number) => {
    for (let number = 0; number < 5000; number += 1) {
      const answer = await put(`${prefix}-${number}`, size);
      if (answer.status !== 200) return answer;
    }
    throw new Error('the disk never became full');
  };
  const readiness = async () => (await fetch(`${server.adminUrl}/readyz`)).status;

  it.each<[string, number, readonly string[]]>([
    ['large writes', 3 * MiB, []],
    ['small writes', 20 * KiB, []],
    ['writes of two processes', 20 * KiB, ['--processes', '2']],
  ])(
    'refuses %s clearly, goes on with reads and deletes, and recovers',
    { timeout: 120_000 },
    async (_, size, args) => {
      if (args.length > 0) await restart(args);
      const refused = await fill('first', size);
      expect(refused.status).toBe(507);
      expect(refused.body.toString()).toMatch(/<Code>InsufficientStorage<.*no room/);
      // Large objects leave room for small ones, those for tiny ones, and the last commits free pages of the index.
      let ready = 200;
      for (let again = 0; ready !== 503 && again < 20; again += 1) {
        expect((await fill(`rest-${again}`, again === 0 ? 20 * KiB : 1)).status).toBe(507);
        ready = await readiness();
      }
      expect(ready).toBe(503);
      await expectIntact();
      const some = [...objects.keys()].filter((_key, index) => index % 2 === 0);
      for (const key of some) expect(await remove(key)).toBe(204);
      await expectIntact();
      await sleep(600);
      expect((await put('again', size)).status).toBe(200);
      expect(await readiness()).toBe(200);
      await expectIntact();
    },
  );

  it('refuses versions and parts clearly, keeps those that it acknowledged, and recovers', {
    timeout: 120_000,
  }, async () => {
    const enabled = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    expect((await client.send('PUT', '/full?versioning=', Buffer.from(enabled))).status).toBe(200);
    const part = (uploadId: string, number: number, bytes: Buffer) =>
      client.send('PUT', `/full/parts?partNumber=${number}&uploadId=${uploadId}`, bytes);
    const begun = (await client.send('POST', '/full/parts?uploads=')).body.toString();
    const uploadId = /<UploadId>([^<]+)</.exec(begun)?.[1] ?? '';
    const parts = [randomBytes(5 * MiB), randomBytes(5 * MiB)];
    const first = await part(uploadId, 1, parts[0] ?? Buffer.alloc(0));
    expect(first.status).toBe(200);

    /** By version id. */
    const versions = new Map<string, { readonly key: string; readonly bytes: Buffer | undefined }>();
    const add = async (key: string, bytes: Buffer | undefined) => {
      const answer = await client.send(bytes === undefined ? 'DELETE' : 'PUT', `/full/${key}`, bytes);
      if (answer.status < 300) versions.set(answer.versionId ?? '', { key, bytes });
      return answer.status;
    };
    const expectVersions = async () => {
      const seen = await listVersions(client, '/full', 'key-');
      expect(seen.map(({ id }) => id).sort()).toEqual([...versions.keys()].sort());
      for (const { id, key, marker } of seen) {
        const known = versions.get(id);
        expect([key, marker]).toEqual([known?.key, known?.bytes === undefined]);
        if (known?.bytes === undefined) continue;
        const got = await client.send('GET', `/full/${key}?versionId=${id}`);
        expect(got.body.equals(known.bytes), `${key} ${id}`).toBe(true);
      }
    };
    const statuses = new Set<number>();
    for (let number = 0; number < 500 && !statuses.has(507); number += 1) {
      statuses.add(await add(`key-${number % 5}`, number % 7 === 6 ? undefined : randomBytes(700 * KiB)));
    }
    expect([...statuses].sort()).toEqual([200, 204, 507]);
    expect((await part(uploadId, 2, parts[1] ?? Buffer.alloc(0))).status).toBe(507);
    await expectVersions();
    // The part that was refused is no part of the upload.
    const listed = (await client.send('GET', `/full/parts?uploadId=${uploadId}`)).body.toString();
    expect(listed.match(/<PartNumber>\d+<\/PartNumber>/g)).toEqual(['<PartNumber>1</PartNumber>']);

    const some = [...versions].filter((_version, index) => index % 3 === 0);
    for (const [id, { key }] of some) {
      expect((await client.send('DELETE', `/full/${key}?versionId=${id}`)).status).toBe(204);
      versions.delete(id);
    }
    await expectVersions();
    await sleep(600);
    const second = await part(uploadId, 2, parts[1] ?? Buffer.alloc(0));
    expect(second.status).toBe(200);
    const xml = [first, second].map(
      ({ etag }, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const complete = Buffer.from(`<CompleteMultipartUpload>${xml.join('')}</CompleteMultipartUpload>`);
    const completed = await client.send('POST', `/full/parts?uploadId=${uploadId}`, complete);
    expect(completed.body.toString()).toContain('<CompleteMultipartUploadResult');
    expect((await client.send('GET', '/full/parts')).body.equals(Buffer.concat(parts))).toBe(true);
    expect(await add('key-0', randomBytes(40 * KiB))).toBe(200);
    await restart();
    await expectVersions();
    expect((await client.send('GET', '/full/parts')).body.equals(Buffer.concat(parts))).toBe(true);
    await server.stop();
    await checkNoOrphans(directory.path);
  });

  it('to the last byte, by another program, damages nothing either', { timeout: 120_000 }, async () => {
    for (let number = 0; number < 20; number += 1) await put(`key-${number}`, number % 2 === 0 ? 500 : 300 * KiB);
    const filler = join(directory.path, 'somebody-elses-file');
    // Fails when nothing is left, which is what is wanted.
    await writeFile(filler, Buffer.alloc(100 * MiB)).catch(() => undefined);
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => put(`late-${number}`, number % 2 === 0 ? 500 : 300 * KiB)),
    );
    await expectIntact();
    // What a delete needs to write was kept back for it.
    expect(await remove('key-1')).toBe(204);
    expect(await remove('key-2')).toBe(204);
    await expectIntact();
    await rm(filler);
    await sleep(600);
    expect((await put('after', 400 * KiB)).status).toBe(200);
    expect(await remove('key-0')).toBe(204);
    await expectIntact();
    // And what is on the disk says the same after a restart.
    await restart();
    await expectIntact();
  });
});
