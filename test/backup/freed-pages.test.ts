import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergeFirst, mergeNothing, type Snapshot } from '../../src/backup/index.ts';
import { restore } from '../../src/backup/restore.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { backUpOne, clientOf, freshStore, type OneSource } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { checkEnvironment, contentOf, libmdbxMissing, startWriter, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** FREED_ROUNDS=300 for a long run. */
const ROUNDS = Number(process.env.FREED_ROUNDS ?? 12);

const layersOf = (snapshot: Snapshot | undefined) => (snapshot?.content.kind === 'mdbx' ? snapshot.content.layers : []);
const pagesIn = (snapshot: Snapshot | undefined) => layersOf(snapshot).reduce((sum, { pages }) => sum + pages, 0);

const missing = libmdbxMissing();
skipUnless(missing === undefined, missing ?? '')('pages that an environment has freed', () => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  beforeAll(async () => {
    endpoint = await testEndpoint();
    client = clientOf(endpoint);
  }, 60_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  }, 60_000);

  test('are in no layer any more once increments are folded', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory('freed');
    const store = await freshStore(client, 'node');
    const path = join(directory.path, 'node');
    const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
    await write(path, { pageSize: 4096, seed: 1, commits: 40, changes: 500, keys: 20_000, drop: 0 });
    const first = await backUpOne(store, source, { merger: mergeNothing });
    let last: Snapshot | undefined;
    for (let round = 0; round < 12; round++) {
      await write(path, { pageSize: 4096, seed: 2 + round, commits: 4, changes: 400, keys: 20_000, drop: 95 });
      last = await backUpOne(store, source, { merger: mergeFirst });
    }
    if (last === undefined) throw new Error('no snapshot');
    const whole = await backUpOne(await freshStore(client, 'whole'), source, { merger: mergeNothing });
    // Much was freed, and a fold has been since.
    expect(pagesIn(whole)).toBeLessThan(0.6 * pagesIn(first));
    expect(layersOf(last)[0]?.pages).toBeLessThan(0.8 * pagesIn(first));
    const target = join(directory.path, 'restored');
    await restore({ store, snapshot: last, target, force: false });
    await checkEnvironment(target);
    expect((await contentOf(target)).sum).toBe((await contentOf(path)).sum);
  });

  test.each([256, 1024, 4096, 65_536])(
    'with pages of %i bytes: every snapshot of a chain still is what it was',
    {
      timeout: 240_000 + ROUNDS * 5000,
    },
    async (pageSize) => {
      await using directory = await temporaryDirectory('freed-chain');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize, seed: 1, commits: 20, changes: 300, mode: 'nosync', keys: 5000 });
      const made: { snapshot: Snapshot; sum: bigint }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        // It shrinks and grows, so that what was freed is used again.
        const drop = round % 4 < 2 ? 70 : 10;
        await write(path, { pageSize, seed: 2 + round, commits: 1 + (round % 3), changes: 120, keys: 5000, drop });
        const snapshot = await backUpOne(store, source, { merger: mergeFirst });
        made.push({ snapshot, sum: (await contentOf(path)).sum });
      }
      expect(made.some(({ snapshot }) => layersOf(snapshot).some(({ level }) => level > 0))).toBe(true);
      for (const { snapshot, sum } of made.filter((_, index) => index % 5 === 4 || index === made.length - 1)) {
        const target = join(directory.path, `restored-${snapshot.id}`);
        await restore({ store, snapshot, target, force: false });
        await checkEnvironment(target);
        expect((await contentOf(target)).sum).toBe(sum);
      }
    },
  );

  test('while a writer commits: what is restored is one commit', { timeout: 240_000 + ROUNDS * 5000 }, async () => {
    await using directory = await temporaryDirectory('freed-hot');
    const store = await freshStore(client, 'node');
    const path = join(directory.path, 'node');
    const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
    const shape = { pageSize: 4096, changes: 20, keys: 3000, mode: 'nosync', drop: 40 } as const;
    await write(path, { ...shape, seed: 1, commits: 50 });
    const made: Snapshot[] = [];
    {
      await using writer = await startWriter(path, { ...shape, seed: 2, rate: 200 });
      for (let round = 0; round < ROUNDS; round++) {
        made.push(await backUpOne(store, source, { merger: mergeFirst }));
      }
      await writer.stop();
    }
    for (const snapshot of made.filter((_, index) => index % 4 === 3)) {
      const target = join(directory.path, `restored-${snapshot.id}`);
      await restore({ store, snapshot, target, force: false });
      await checkEnvironment(target);
      // It throws unless the content is whole as one commit left it.
      await contentOf(target);
    }
  });
});
