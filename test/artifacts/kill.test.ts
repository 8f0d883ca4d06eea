import { createHash, randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifacts, measure, openSource, sendContent } from '../../src/artifacts/index.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { HOUR } from '../../src/core/durations.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint } from '../support/endpoint.ts';
import { repository } from '../support/paths.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { CommandFailed, run } from '../support/run.ts';
import { startServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { settingsFor } from './serve.ts';

/**
 * Each process is killed at one request, before it is sent or after its answer came. In CI the two take turns and gc is hit at
 * every third; with KILL_EVERY=1 both are tried at every request of every step, on Ceph, too (`npm run test:kill`).
 */
const every = process.env.KILL_EVERY === '1';
const missing = rgwMissing();
const targets = [
  { name: 'embedded', start: startServer, suite: skipUnless(true, '') },
  {
    name: 'ceph',
    start: startRgw,
    suite: skipUnless(every && missing === undefined, missing ?? 'takes a quarter of an hour: KILL_EVERY=1', {
      variable: 'KILL_EVERY',
    }),
  },
] as const;
const MOST_REQUESTS = 60;

/** Which requests are hit, and when. */
function* kills(step: number): Generator<{ readonly kill: number; readonly when: 'before' | 'after' }> {
  for (let kill = 1; kill < MOST_REQUESTS; kill += every ? 1 : step) {
    if (every || kill % 2 === 1) yield { kill, when: 'before' };
    if (every || kill % 2 === 0) yield { kill, when: 'after' };
  }
}

for (const target of targets) {
  target.suite(`kill -9 at a request, ${target.name}`, () => {
    let endpoint: DisposableEndpoint;
    let client: ObjectClient;
    let scratch: TemporaryDirectory;
    const bucket = bucketName('kill');
    beforeAll(async () => {
      endpoint = await target.start();
      client = createClient(connectionTo(endpoint, target.name));
      scratch = await temporaryDirectory('kill');
      await client.createBucket(bucket);
    }, 180_000);
    afterAll(async () => {
      client?.close();
      await endpoint?.[Symbol.asyncDispose]();
      await scratch?.remove();
    }, 90_000);

    const open = (prefix: string, clock = 0) => {
      const provider = providerNamed(target.name);
      if (provider === undefined) throw new Error('no profile');
      return artifacts({ client, bucket, prefix, provider, clock: { now: () => Date.now() + clock } });
    };

    /** Runs a step that kills itself at request `kill`; whether it got so far. */
    async function killed(
      step: string,
      prefix: string,
      { kill, when }: { readonly kill: number; readonly when: string },
      extra: Record<string, string> = {},
    ): Promise<boolean> {
      try {
        await run(process.execPath, [join(repository, 'test/artifacts/step.mjs')], {
          timeoutMs: 120_000,
          env: cleanEnvironment({
            ...settingsFor(endpoint, target.name, bucket),
            TEST_BUCKET: bucket,
            TEST_PREFIX: prefix,
            TEST_STEP: step,
            TEST_KILL: String(kill),
            TEST_WHEN: when,
            ...extra,
          }),
        });
        return false;
      } catch (error) {
        if (error instanceof CommandFailed && error.message.includes('SIGKILL')) return true;
        throw error;
      }
    }

    /** Nothing may be missing or changed, whatever was killed. */
    async function whole(prefix: string, content = false): Promise<void> {
      for await (const finding of open(prefix).verify('killed', { content })) {
        expect(finding, JSON.stringify(finding)).toMatchObject({ status: 'ok' });
      }
    }

    /** A file of its own content. */
    async function fileOf(bytes: number): Promise<string> {
      const path = join(scratch.path, randomBytes(6).toString('hex'));
      await writeFile(path, randomBytes(bytes));
      return path;
    }
    const promote = (prefix: string, version: string) =>
      open(prefix).promote({ reference: { by: 'version', name: 'killed', version }, channel: 'live', by: 'test' });

    test('a push leaves no version or a whole one, and a rerun finishes it', async () => {
      let steps = 0;
      for (const at of kills(1)) {
        // Several parts, so that the middle of a multipart upload is hit, too.
        const [path, version] = [await fileOf(17 * 1024 * 1024), `${at.when}-${at.kill}`];
        const died = await killed('push', 'push/', at, { TEST_PATH: path, TEST_VERSION: version });
        await whole('push/');
        if (!died) break;
        steps += 1;
        const again = await open('push/').push({ name: 'killed', version, path });
        expect(again.artifact.version).toBe(version);
      }
      await whole('push/', true);
      expect(steps).toBeGreaterThan(every ? 20 : 10);
      process.stderr.write(`${target.name}: push was killed ${steps} times\n`);
    }, 1_800_000);

    test('a promotion moves the channel or does not, and a rerun finishes it', async () => {
      const store = open('promote/');
      for (const version of ['1', '2']) await store.push({ name: 'killed', version, path: await fileOf(100) });
      await promote('promote/', '2');
      let steps = 0;
      for (const at of kills(1)) {
        const version = steps % 2 === 0 ? '1' : '2';
        const before = await store.entries('killed', 'live');
        const died = await killed('promote', 'promote/', at, { TEST_VERSION: version });
        await whole('promote/', true);
        expect((await store.entries('killed', 'live')) - before).toBeLessThanOrEqual(1);
        if (!died) break;
        steps += 1;
        await promote('promote/', version);
        expect((await store.resolve('killed@live')).artifact.version).toBe(version);
        expect(await store.entries('killed', 'live')).toBe(before + 1);
      }
      expect(steps).toBeGreaterThan(5);
      process.stderr.write(`${target.name}: promote was killed ${steps} times\n`);
    }, 1_800_000);

    test('a granted upload is finished once, or by a rerun', async () => {
      let steps = 0;
      for (const at of kills(1)) {
        const [path, version] = [await fileOf(1000), `${at.when}-${at.kill}`];
        const source = await openSource(path);
        const content = { ...(await measure(source)), mediaType: source.mediaType, title: source.title };
        const { digest, size, mediaType, title } = content;
        const store = open('finish/');
        const grant = await store.grantUpload({
          name: 'killed',
          version,
          content: { digest, size, mediaType, title },
          expiresSeconds: 600,
        });
        if (grant.upload === undefined) throw new Error('nothing to send');
        await sendContent({ ...grant.upload, source });
        const died = await killed('finish', 'finish/', at, { TEST_TICKET: grant.ticket.reveal() });
        await whole('finish/');
        const { artifact } = await store.finishUpload(grant.ticket.reveal());
        expect(artifact.content.digest).toBe(digest);
        if (!died) break;
        steps += 1;
      }
      await whole('finish/', true);
      expect(steps).toBeGreaterThan(5);
      process.stderr.write(`${target.name}: finish was killed ${steps} times\n`);
    }, 1_800_000);

    test('gc never takes what the channel needs, and a rerun finishes it', async () => {
      let steps = 0;
      const options = { versions: 0, entries: 1, grace: HOUR };
      phases: for (const phase of ['mark', 'remove'] as const) {
        for (const at of kills(3)) {
          const prefix = `gc/${phase}/${at.when}/${at.kill}/`;
          for (const version of ['1', '2', '3']) {
            await open(prefix).push({ name: 'killed', version, path: await fileOf(100) });
          }
          await promote(prefix, '2');
          // An upload that somebody gave up is part of what gc removes.
          const left = `${prefix}blobs/sha256/${createHash('sha256').update(prefix).digest('hex')}`;
          await client.createUpload({ bucket, key: left });
          const hours = phase === 'mark' ? 2 : 4;
          if (phase === 'remove') await open(prefix, 2 * HOUR).applyGc(await open(prefix, 2 * HOUR).planGc(options));
          const died = await killed('gc', prefix, at, { TEST_CLOCK: String(hours * HOUR) });
          await whole(prefix);
          const { artifact } = await open(prefix).resolve('killed@live');
          await open(prefix).pull({ artifact, target: join(scratch.path, 'live') });
          if (!died) continue phases;
          steps += 1;
          for (const later of [hours, hours + 2]) {
            const store = open(prefix, later * HOUR);
            await store.applyGc(await store.planGc(options));
          }
          const store = open(prefix, (hours + 2) * HOUR);
          const plan = await store.planGc(options);
          // The two contents that nothing needs are gone; the manifests and the one in use stay.
          expect([plan.actions, plan.kept.blobs]).toEqual([[], 4]);
          await store.pull({ artifact, target: join(scratch.path, 'live') });
        }
      }
      expect(steps).toBeGreaterThan(every ? 60 : 8);
      process.stderr.write(`${target.name}: gc was killed ${steps} times\n`);
    }, 3_600_000);

    test('a pull leaves the old content or the new one, and a later one tidies up', async () => {
      const store = open('pull/');
      const path = await fileOf(20 * 1024 * 1024);
      const { artifact } = await store.push({ name: 'killed', version: '1', path });
      const directory = join(scratch.path, 'pulled');
      let steps = 0;
      for (const at of kills(1)) {
        const died = await killed('pull', 'pull/', at, { TEST_VERSION: '1', TEST_PATH: join(directory, 'file') });
        if (!died) break;
        steps += 1;
        const there = await readdir(directory).catch(() => []);
        expect(there.filter((name) => !name.startsWith('.bucketwright-'))).toEqual([]);
      }
      expect(steps).toBeGreaterThan(3);
      await store.pull({ artifact, target: join(directory, 'file') });
      expect((await measure(await openSource(join(directory, 'file')))).digest).toBe(artifact.content.digest);
    }, 600_000);
  });
}
