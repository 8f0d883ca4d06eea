/**
 * The real Loki on the disk, in S3, from the disk to S3 and back to the disk. Periods are put around lines of the last
 * days, since nobody waits for midnight: the plans are made as if it were some days ago.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ObjectClient } from '../../src/client/index.ts';
import { renderLokiFilesystem, renderLokiS3 } from '../../src/observability/loki/render.ts';
import { planLokiMigration } from '../../src/observability/migrate/index.ts';
import { findLine, flush, type LokiLine, pushLine } from '../../src/observability/verify/loki.ts';
import { ask, until } from '../../src/observability/verify/program.ts';
import type { Settings } from '../../src/settings/index.ts';
import { stackModel } from '../../src/stack/index.ts';
import type { DisposableEndpoint, S3Endpoint } from '../support/endpoint.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { lokiBinary, missing } from './binaries.ts';
import { amount, Figures } from './figures.ts';
import { type RunningProgram, settingsOf, startLoki } from './stack.ts';
import { clientOf, objectsBelow, stores } from './stores.ts';

const day = 86_400_000;
const today = Math.floor(Date.now() / day) * day;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);
const noon = (daysAgo: number) => today - daysAgo * day + day / 2;

function lineAt(time: number, name: string): LokiLine {
  const run = `${name}-${process.pid}-${Date.now()}`;
  return { labels: { job: 'loop', run }, text: `the line of ${run}`, time };
}

const found = async (loki: RunningProgram, line: LokiLine): Promise<boolean> =>
  (await until(30_000, async () => (await findLine(loki.url, line, {})) || undefined)) ?? false;

/** Until the chunks of memory are in the store, whichever it is. */
async function flushed(loki: RunningProgram, stored: () => Promise<number>, before: number): Promise<boolean> {
  await flush(loki.url, {});
  return (await until(30_000, async () => (await stored()) > before || undefined)) ?? false;
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

for (const store of stores) {
  const title = `Loki on ${store.name}`;
  if (lokiBinary === undefined) skipUnless(false, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })(title, () => {});
  else {
    skipUnless(store.missing === undefined, store.missing ?? '')(title, () => {
      const figures = new Figures(title);
      let endpoint: DisposableEndpoint;
      let settings: Settings;
      let client: ObjectClient;
      let data: TemporaryDirectory;
      const prefix = 'prod-logs';
      const bucket = 'loop-loki';
      const objects = () => objectsBelow(client, bucket, '');
      const chunks = () => objectsBelow(client, bucket, `${prefix}/fake/`);
      const disk = () => filesBelow(join(data.path, 'chunks', prefix, 'fake'));
      const run = async (text: string, task: (loki: RunningProgram) => Promise<void>) => {
        await using loki = await figures.time('start', () => startLoki(settings, { text, data: data.path }));
        await task(loki);
      };

      beforeAll(async () => {
        endpoint = await store.start();
        data = await temporaryDirectory('loki-data');
        const extra = { S3_PROVIDER: store.provider, S3_BUCKET_LOKI: bucket, S3_PREFIX_LOKI: prefix };
        settings = settingsOf(endpoint, extra);
        client = clientOf(settings);
        await client.createBucket(bucket);
      }, 120_000);
      afterAll(async () => {
        figures.print();
        client?.close();
        await data?.remove();
        await endpoint?.[Symbol.asyncDispose]();
      });

      it('in S3: what was pushed is found with an empty disk', { timeout: 180_000 }, async () => {
        const text = renderLokiS3(stackModel(settings));
        const line = lineAt(Date.now(), 's3');
        await run(text, async (loki) => {
          await figures.time('S3: push', () => pushLine(loki.url, line, {}));
          expect(await figures.time('S3: query', () => found(loki, line))).toBe(true);
          const stored = () => chunks().then(({ size }) => size);
          expect(await figures.time('S3: flush', () => flushed(loki, stored, 0))).toBe(true);
        });
        const all = await figures.time('S3: objects after the stop', objects, amount);
        expect([...all.keys()].filter((key) => !key.startsWith(`${prefix}/`))).toEqual([]);
        expect([...all.keys()].some((key) => key.startsWith(`${prefix}/index/`))).toBe(true);
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        await run(text, async (loki) => {
          expect(await figures.time('S3: query with an empty disk', () => found(loki, line))).toBe(true);
        });
      });

      it('in S3 by the older client: the Thanos client finds what that wrote', { timeout: 180_000 }, async () => {
        const line = lineAt(Date.now(), 'older');
        const before = (await chunks()).size;
        const stored = () => chunks().then(({ size }) => size);
        const text = withOlderClient(renderLokiS3(stackModel(settings)), endpoint, bucket, prefix);
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        await run(text, async (loki) => {
          await pushLine(loki.url, line, {});
          expect(await figures.time('older client: flush', () => flushed(loki, stored, before))).toBe(true);
          await requestDeletion(loki, line);
        });
        const input = { subject: 'config.yml', model: stackModel(settings), from: undefined, now: Date.now() };
        const migrated = planLokiMigration({ ...input, text, to: 's3' });
        expect(migrated.kind).toBe('client');
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        await run(migrated.text, async (loki) => {
          expect(await figures.time('Thanos client: query with an empty disk', () => found(loki, line))).toBe(true);
          expect(await deletionRequests(loki), 'the open delete request is still there').toBe(1);
          const more = lineAt(Date.now(), 'newer');
          await pushLine(loki.url, more, {});
          expect(await flushed(loki, stored, before + 1)).toBe(true);
        });
        await client.deleteMany({ bucket, keys: [...(await objects()).keys()] });
      });

      it('on the disk, then in S3, then on the disk: every period is found', { timeout: 300_000 }, async () => {
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        const model = stackModel(settings);
        const lines = {
          disk: lineAt(noon(3), 'first'),
          s3: lineAt(noon(1), 'second'),
          back: lineAt(Date.now(), 'third'),
        };
        const first = renderLokiFilesystem(model);
        await run(first, async (loki) => {
          await pushLine(loki.url, lines.disk, {});
          const stored = () => disk().then(({ length }) => length);
          expect(await figures.time('disk: flush', () => flushed(loki, stored, 0))).toBe(true);
          await requestDeletion(loki, lines.disk);
        });
        const sizeBefore = (await chunks()).size;
        await run(first, async (loki) => {
          expect(await figures.time('disk: query after a restart', () => found(loki, lines.disk))).toBe(true);
        });

        const input = { subject: 'config.yml', model, from: dayOf(noon(2)) };
        const there = planLokiMigration({ ...input, text: first, to: 's3', now: noon(4) });
        expect(there.kind).toBe('append');
        await run(there.text, async (loki) => {
          expect(await figures.time('migrated: query of the disk’s period', () => found(loki, lines.disk))).toBe(true);
          expect(await deletionRequests(loki), 'the open delete request is carried over').toBe(1);
          await pushLine(loki.url, lines.s3, {});
          const stored = () => chunks().then(({ size }) => size);
          expect(await figures.time('migrated: flush to S3', () => flushed(loki, stored, sizeBefore))).toBe(true);
        });
        const inS3 = await objects();
        expect([...inS3.keys()]).toContain(`${prefix}/index/delete_requests/delete_requests.gz`);
        const onDisk = (await disk()).length;
        await run(there.text, async (loki) => {
          expect(await figures.time('migrated: both after a restart, disk', () => found(loki, lines.disk))).toBe(true);
          expect(await figures.time('migrated: both after a restart, S3', () => found(loki, lines.s3))).toBe(true);
        });
        expect((await disk()).length).toBe(onDisk);

        const back = planLokiMigration({
          ...input,
          text: there.text,
          to: 'filesystem',
          from: dayOf(today),
          now: noon(1),
        });
        expect(back.kind).toBe('append');
        await run(back.text, async (loki) => {
          await pushLine(loki.url, lines.back, {});
          const stored = () => disk().then(({ length }) => length);
          expect(await figures.time('rolled back: flush to the disk', () => flushed(loki, stored, onDisk))).toBe(true);
        });
        await run(back.text, async (loki) => {
          for (const [name, line] of Object.entries(lines)) {
            expect(await figures.time(`rolled back: query, ${name}`, () => found(loki, line))).toBe(true);
          }
          expect(await deletionRequests(loki)).toBe(1);
        });
        expect((await chunks()).size, 'nothing more went to S3').toBe(sizeBefore + 1);
      });
    });
  }
}

/** The rendered file as people had it before the Thanos client: periods name their store `aws`. */
function withOlderClient(text: string, endpoint: S3Endpoint, bucket: string, prefix: string): string {
  const older = `storage_config:
  object_prefix: ${prefix}
  aws:
    endpoint: ${endpoint.url}
    region: ${endpoint.region}
    bucketnames: ${bucket}
    s3forcepathstyle: true

`;
  return text
    .replace(/^storage_config:\n[\s\S]*?(?=^schema_config)/m, older)
    .replace('object_store: s3', 'object_store: aws')
    .replace('delete_request_store: s3', 'delete_request_store: aws');
}

/** A request that stays open: Loki waits a day before it acts, in which it can be taken back. */
async function requestDeletion(loki: RunningProgram, line: LokiLine): Promise<void> {
  const seconds = Math.floor(line.time / 1000);
  const query = new URLSearchParams({
    query: '{job="of nobody"}',
    start: String(seconds - 7_200),
    end: String(seconds - 3_600),
  });
  await ask(`${loki.url}/loki/api/v1/delete?${query}`, { method: 'POST' });
  expect(await deletionRequests(loki)).toBe(1);
}

async function deletionRequests(loki: RunningProgram): Promise<number> {
  const answer: unknown = JSON.parse((await ask(`${loki.url}/loki/api/v1/delete`)) ?? '[]');
  return Array.isArray(answer) ? answer.length : -1;
}
