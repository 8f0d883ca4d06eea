/**
 * The real Tempo on the disk, its blocks moved to S3 and back by the command line, byte for byte, and every trace found
 * on the way.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ObjectClient } from '../../src/client/index.ts';
import { renderTempoFilesystem, renderTempoS3 } from '../../src/observability/tempo/render.ts';
import { until } from '../../src/observability/verify/program.ts';
import { findTrace, pushTrace, type Trace } from '../../src/observability/verify/tempo.ts';
import type { Settings } from '../../src/settings/index.ts';
import { stackModel } from '../../src/stack/index.ts';
import { fingerprint, readTree, type Tree } from '../support/content.ts';
import { cleanEnvironment, type DisposableEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { missing, tempoBinary } from './binaries.ts';
import { amount, Figures } from './figures.ts';
import { type RunningProgram, settingsOf, startTempo } from './stack.ts';
import { clientOf, objectsBelow, stores } from './stores.ts';

const hex = (length: number) => Array.from({ length }, () => Math.floor(Math.random() * 16).toString(16)).join('');
const traceNow = (name: string): Trace => ({
  id: hex(32),
  span: hex(16),
  name: `loop-${name}-${hex(8)}`,
  time: Date.now(),
});

const found = async (tempo: RunningProgram, trace: Trace, where: 'anywhere' | 'blocks'): Promise<boolean> =>
  (await until(60_000, async () => (await findTrace(tempo.url, trace, where, {})) || undefined)) ?? false;

/** Blocks that Tempo has finished, of an object store's or a directory's names. */
const finished = (names: Iterable<string>) => [...names].filter((name) => name.endsWith('/meta.json')).length;

for (const store of stores) {
  const title = `Tempo on ${store.name}`;
  if (tempoBinary === undefined) skipUnless(false, missing('TEMPO_BIN'), { variable: 'TEMPO_BIN' })(title, () => {});
  else {
    skipUnless(store.missing === undefined, store.missing ?? '')(title, () => {
      const figures = new Figures(title);
      const [bucket, prefix] = ['loop-tempo', 'prod/traces'];
      let endpoint: DisposableEndpoint;
      let settings: Settings;
      let environment: Record<string, string>;
      let client: ObjectClient;
      let data: TemporaryDirectory;
      let file: string;
      const objects = () => objectsBelow(client, bucket, '');
      const disk = (): Promise<Tree> => readTree(join(data.path, 'blocks')).catch(() => ({}));
      const inStore = async (): Promise<Tree> => {
        const tree: Record<string, Uint8Array> = {};
        for (const key of (await objects()).keys()) {
          const chunks: Uint8Array[] = [];
          for await (const chunk of (await client.get({ bucket, key })).body) chunks.push(chunk);
          tree[key.slice(`${prefix}/`.length)] = Buffer.concat(chunks);
        }
        return tree;
      };
      const running = async (text: string, task: (tempo: RunningProgram) => Promise<void>) => {
        await using tempo = await figures.time('start', () => startTempo(settings, { text, data: data.path }));
        await task(tempo);
      };
      /** A trace in, found at once, its block in the store, found there alone. */
      const proven = async (tempo: RunningProgram, mode: string, stored: () => Promise<number>): Promise<Trace> => {
        const trace = traceNow(mode);
        const before = await stored();
        await figures.time(`${mode}: push`, () => pushTrace(tempo.otlp, trace, {}));
        expect(await figures.time(`${mode}: look-up by id`, () => found(tempo, trace, 'anywhere'))).toBe(true);
        const block = () => until(90_000, async () => (await stored()) > before || undefined);
        expect(await figures.time(`${mode}: block in the store`, block)).toBe(true);
        expect(await figures.time(`${mode}: look-up in blocks alone`, () => found(tempo, trace, 'blocks'))).toBe(true);
        return trace;
      };
      const migrate = async (to: 's3' | 'filesystem') => {
        const args = ['observability', 'migrate', '--to', to, '--tempo', file, '--blocks', join(data.path, 'blocks')];
        const env = cleanEnvironment({ ...environment, NO_COLOR: '1', XDG_STATE_HOME: join(data.path, 'state') });
        const { stdout } = await run(process.execPath, [commandLine, ...args, '--apply'], { cwd: data.path, env });
        return stdout.match(/^(?:copied|verified) .*$/gm)?.join('; ') ?? stdout;
      };

      beforeAll(async () => {
        endpoint = await store.start();
        data = await temporaryDirectory('tempo-data');
        file = join(data.path, 'tempo.yml');
        environment = {
          S3_ENDPOINT: endpoint.url,
          S3_INSECURE: 'true',
          S3_REGION: endpoint.region,
          S3_ACCESS_KEY_ID: endpoint.accessKeyId,
          S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
          S3_PROVIDER: store.provider,
          S3_BUCKET_TEMPO: bucket,
          S3_PREFIX_TEMPO: prefix,
        };
        settings = settingsOf(endpoint, environment);
        client = clientOf(settings);
        await client.createBucket(bucket);
      }, 120_000);
      afterAll(async () => {
        figures.print();
        client?.close();
        await data?.remove();
        await endpoint?.[Symbol.asyncDispose]();
      });

      it('in S3: what was pushed is found with an empty disk', { timeout: 300_000 }, async () => {
        const text = renderTempoS3(stackModel(settings));
        let trace: Trace | undefined;
        await running(text, async (tempo) => {
          trace = await proven(tempo, 'S3', async () => finished((await objects()).keys()));
        });
        const all = await figures.time('S3: objects after the stop', objects, amount);
        expect([...all.keys()].filter((key) => !key.startsWith(`${prefix}/`))).toEqual([]);
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        await running(text, async (tempo) => {
          if (trace === undefined) throw new TypeError('no trace');
          const kept = trace;
          const again = () => found(tempo, kept, 'blocks');
          expect(await figures.time('S3: look-up with an empty disk', again)).toBe(true);
        });
      });

      it('on the disk, moved to S3, and back: blocks byte for byte, every trace found', {
        timeout: 600_000,
      }, async () => {
        await client.deleteMany({ bucket, keys: [...(await objects()).keys()] });
        await rm(data.path, { recursive: true });
        await mkdir(data.path);
        const text = renderTempoFilesystem(stackModel(settings));
        await writeFile(file, text);
        const traces: Trace[] = [];
        const everyTraceFound = async (tempo: RunningProgram, mode: string) => {
          for (const [index, trace] of traces.entries()) {
            const step = `${mode}: look-up in blocks, trace ${index + 1}`;
            expect(await figures.time(step, () => found(tempo, trace, 'blocks'))).toBe(true);
          }
        };
        await running(text, async (tempo) => {
          traces.push(await proven(tempo, 'disk', async () => finished(Object.keys(await disk()))));
        });

        const before = await disk();
        await figures.time('migrate --to s3 --apply', () => migrate('s3'), String);
        expect(fingerprint(await inStore())).toEqual(fingerprint(before));
        const switched = await readFile(file, 'utf8');
        expect(switched).toContain('    backend: s3\n');
        await rm(join(data.path, 'blocks'), { recursive: true });
        await running(switched, async (tempo) => {
          await everyTraceFound(tempo, 'moved');
          traces.push(await proven(tempo, 'moved', async () => finished((await objects()).keys())));
        });

        const inS3 = await inStore();
        await figures.time('migrate --to filesystem --apply', () => migrate('filesystem'), String);
        expect(fingerprint(await disk())).toEqual(fingerprint(inS3));
        expect(await readFile(file, 'utf8')).toBe(text);
        await running(text, async (tempo) => {
          await everyTraceFound(tempo, 'rolled back');
          traces.push(await proven(tempo, 'rolled back', async () => finished(Object.keys(await disk()))));
          await everyTraceFound(tempo, 'rolled back');
        });
      });
    });
  }
}
