import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { membersOf } from '../support/members.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';

const MiB = 1024 * 1024;
const PROCESSES = 2;

/**
 * Connections go to the processes in turn, so of two connections made one after the other each has another process.
 */
describe('a server of two processes', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: TestServer;
  let a: LeanClient;
  let b: LeanClient;

  beforeAll(async () => {
    directory = await temporaryDirectory('processes');
    server = await startServer({ data: directory.path, args: ['--processes', String(PROCESSES)] });
    [a, b] = await twoProcesses(server);
    expect((await a.send('PUT', '/shared')).status).toBe(200);
  }, 60_000);
  afterAll(async () => {
    a.close();
    b.close();
    await server.stop();
    await checkNoOrphans(directory.path);
    await directory.remove();
  });

  it('shows at once, everywhere, what one process has acknowledged', async () => {
    for (let round = 0; round < 300; round += 1) {
      const [writer, reader] = round % 2 === 0 ? [a, b] : [b, a];
      const bytes = randomBytes(round % 3 === 0 ? 40_000 : 100);
      expect((await writer.send('PUT', '/shared/key', bytes)).status).toBe(200);
      const got = await reader.send('GET', '/shared/key');
      expect(got.body.equals(bytes), `round ${round}`).toBe(true);
      expect((await writer.send('DELETE', '/shared/key')).status).toBe(204);
      expect((await reader.send('GET', '/shared/key')).status).toBe(404);
    }
  }, 60_000);

  it('makes, configures and deletes buckets everywhere at once', async () => {
    for (let round = 0; round < 50; round += 1) {
      const [first, second] = round % 2 === 0 ? [a, b] : [b, a];
      expect((await first.send('PUT', '/fleeting')).status).toBe(200);
      expect((await second.send('PUT', '/fleeting/key', Buffer.from('1'))).status).toBe(200);
      expect((await first.send('DELETE', '/fleeting')).status).toBe(409);
      expect((await first.send('DELETE', '/fleeting/key')).status).toBe(204);
      expect((await first.send('DELETE', '/fleeting')).status).toBe(204);
      expect((await second.send('PUT', '/fleeting/key', Buffer.from('1'))).status).toBe(404);
      expect((await second.send('GET', '/fleeting')).status).toBe(404);
    }
  }, 60_000);

  it('lets exactly one of many conditional writes in', async () => {
    for (let round = 0; round < 50; round += 1) {
      const answers = await Promise.all(
        [a, b, a, b].map((client) =>
          client.send('PUT', `/shared/once-${round}`, randomBytes(10), { 'if-none-match': '*' }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    }
  }, 60_000);

  it('takes the parts of an upload wherever they arrive', async () => {
    const begun = await a.send('POST', '/shared/parts?uploads=');
    const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
    const parts = [randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(MiB)];
    let xml = '';
    for (const [index, bytes] of parts.entries()) {
      const client = index % 2 === 0 ? a : b;
      const put = await client.send('PUT', `/shared/parts?partNumber=${index + 1}&uploadId=${uploadId}`, bytes);
      xml += `<Part><PartNumber>${index + 1}</PartNumber><ETag>${put.etag}</ETag></Part>`;
    }
    const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    expect((await b.send('POST', `/shared/parts?uploadId=${uploadId}`, body)).status).toBe(200);
    expect((await a.send('GET', '/shared/parts')).body.equals(Buffer.concat(parts))).toBe(true);
  }, 60_000);

  it('does not tear a read of many files that another process deletes meanwhile', async () => {
    for (let round = 0; round < 5; round += 1) {
      const begun = await a.send('POST', '/shared/torn?uploads=');
      const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
      const parts = [randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(MiB)];
      let xml = '';
      for (const [index, bytes] of parts.entries()) {
        const put = await a.send('PUT', `/shared/torn?partNumber=${index + 1}&uploadId=${uploadId}`, bytes);
        xml += `<Part><PartNumber>${index + 1}</PartNumber><ETag>${put.etag}</ETag></Part>`;
      }
      const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
      expect((await a.send('POST', `/shared/torn?uploadId=${uploadId}`, body)).status).toBe(200);
      const reading = a.send('GET', '/shared/torn');
      await sleep(round * 3);
      expect((await b.send('DELETE', '/shared/torn')).status).toBe(204);
      const got = await reading;
      // The delete may have come first.
      if (got.status === 200) expect(got.body.equals(Buffer.concat(parts))).toBe(true);
      else expect(got.status).toBe(404);
    }
  }, 60_000);

  it('reads what another process wrote beyond the size that the index had', async () => {
    const bytes = randomBytes(30_000);
    for (let from = 0; from < 2000; from += 50) {
      const puts = Array.from({ length: 50 }, (_, at) => a.send('PUT', `/shared/grow/${from + at}`, bytes));
      for (const put of await Promise.all(puts)) expect(put.status).toBe(200);
    }
    for (let at = 0; at < 2000; at += 97) {
      expect((await b.send('GET', `/shared/grow/${at}`)).body.equals(bytes)).toBe(true);
    }
  }, 120_000);

  it('counts the requests of all processes, and the objects once', async () => {
    const scrape = async () => (await fetch(`${server.adminUrl}/metrics`)).text();
    const count = (text: string) =>
      Number(/^bucketwright_requests_total\{operation="HeadBucket",status="200"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    const before = count(await scrape());
    for (const client of [a, b, a, b]) expect((await client.send('HEAD', '/shared')).status).toBe(200);
    const text = await scrape();
    expect(count(text) - before).toBe(4);
    expect(text.match(/^bucketwright_bucket_objects\{bucket="shared"\}/gm)).toHaveLength(1);
    expect(text).toMatch(/^bucketwright_writable 1$/m);
  });

  it('replaces a process that was killed, and serves meanwhile', async () => {
    const [victim, survivor] = membersOf(server.pid);
    process.kill(victim ?? 0, 'SIGKILL');
    const client = new LeanClient(server, 1);
    try {
      const others = async () => membersOf(server.pid).filter((pid) => pid !== victim);
      await expect.poll(others, { timeout: 20_000 }).toHaveLength(PROCESSES);
      expect(await others()).toContain(survivor);
      expect((await client.send('HEAD', '/shared')).status).toBe(200);
    } finally {
      client.close();
    }
  }, 30_000);
});

/** Clients of one connection each, which different processes have taken. */
async function twoProcesses(server: TestServer): Promise<[LeanClient, LeanClient]> {
  const a = new LeanClient(server, 1);
  await a.send('GET', '/');
  const b = new LeanClient(server, 1);
  await b.send('GET', '/');
  return [a, b];
}
