import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifacts } from '../../src/artifacts/index.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { HOUR } from '../../src/core/durations.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { bucketName, cleanEnvironment } from '../support/endpoint.ts';
import { repository } from '../support/paths.ts';
import { CommandFailed, run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let server: TestServer;
let client: ObjectClient;
let scratch: TemporaryDirectory;
const bucket = bucketName('kill');

beforeAll(async () => {
  server = await startServer();
  client = createClient(connectionTo(server, 'embedded'));
  scratch = await temporaryDirectory('kill');
  await client.createBucket(bucket);
}, 60_000);
afterAll(async () => {
  client?.close();
  await server?.[Symbol.asyncDispose]();
  await scratch?.remove();
}, 60_000);

/** Runs a step that kills itself at request `kill`; whether it got so far. */
async function killed(step: string, kill: number, when: string, extra: Record<string, string> = {}): Promise<boolean> {
  try {
    await run(process.execPath, [join(repository, 'test/artifacts/step.mjs')], {
      env: cleanEnvironment({
        S3_ENDPOINT: server.url,
        S3_INSECURE: 'true',
        S3_PROVIDER: 'embedded',
        S3_REGION: server.region,
        S3_ACCESS_KEY_ID: server.accessKeyId,
        S3_SECRET_ACCESS_KEY: server.secretAccessKey,
        TEST_BUCKET: bucket,
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

function store(clock = 0) {
  const provider = providerNamed('embedded');
  if (provider === undefined) throw new Error('no profile');
  return artifacts({ client, bucket, prefix: '', provider, clock: { now: () => Date.now() + clock } });
}

/** Nothing may be missing or changed, whatever was killed. */
async function whole(content = false): Promise<void> {
  for await (const finding of store().verify('killed', { content })) {
    expect(finding, JSON.stringify(finding)).toMatchObject({ status: 'ok' });
  }
}

const MOST_REQUESTS = 40;

test('push and promote, killed at each request, leave nothing half done, and a rerun finishes', async () => {
  let steps = 0;
  for (const when of ['before', 'after']) {
    for (let kill = 1; kill < MOST_REQUESTS; kill += 1) {
      const path = join(scratch.path, `push-${when}-${kill}`);
      // Several parts, so that the middle of a multipart upload is hit, too.
      await writeFile(path, randomBytes(17 * 1024 * 1024));
      const extra = { TEST_PATH: path, TEST_VERSION: `${when}-${kill}` };
      const died = await killed('push', kill, when, extra);
      await whole();
      if (!died) break;
      steps += 1;
      expect(await killed('push', 0, when, extra)).toBe(false);
    }
    for (let kill = 1; kill < MOST_REQUESTS; kill += 1) {
      const extra = { TEST_VERSION: `${when}-${kill % 2 === 0 ? 1 : 2}` };
      const died = await killed('promote', kill, when, extra);
      await whole();
      if (!died) break;
      steps += 1;
      expect(await killed('promote', 0, when, extra)).toBe(false);
      expect((await store().resolve('killed@live')).artifact.version).toBe(extra.TEST_VERSION);
    }
  }
  await whole(true);
  expect(steps).toBeGreaterThan(20);
}, 600_000);

test('gc, killed at every third request, never takes what the channel needs', async () => {
  const before = await store().resolve('killed@live');
  let steps = 0;
  for (const hours of [2, 4]) {
    for (let kill = 1; kill < 200; kill += 3) {
      const died = await killed('gc', kill, kill % 2 === 0 ? 'before' : 'after', { TEST_CLOCK: String(hours * HOUR) });
      if (!died) break;
      steps += 1;
    }
  }
  expect(steps).toBeGreaterThan(5);
  await whole();
  const target = join(scratch.path, 'live');
  await store().pull({ artifact: before.artifact, target });
  const left = await store(4 * HOUR).planGc({ versions: 0, entries: 1, grace: HOUR });
  expect(left.actions.filter(({ kind }) => kind === 'remove')).toEqual([]);
}, 600_000);
