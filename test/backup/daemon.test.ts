import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createBackupMetrics,
  type DaemonOptions,
  drillHistory,
  findSet,
  parseDaemonPlan,
  Repository,
  restore,
  runDaemon,
  runSetsOnce,
  type Snapshot,
  serveMetrics,
} from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { alerts } from '../../src/observability/alerts.ts';
import { metricNames } from '../../src/observability/metrics.ts';
import { parseSettings } from '../../src/settings/index.ts';
import { stackModel } from '../../src/stack/index.ts';
import { clientOf, collect, freshPlace, opener } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { checkEnvironment, contentOf, libmdbxMissing, startWriter, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const noMdbx = libmdbxMissing();

skipUnless(noMdbx === undefined, noMdbx ?? '')('the backup daemon', () => {
  let endpoint: DisposableEndpoint;
  let proxy: FaultProxy;
  let client: ObjectClient;
  beforeAll(async () => {
    endpoint = await testEndpoint();
    proxy = await startFaultProxy(endpoint);
    client = clientOf(proxy);
  });
  afterAll(async () => {
    client?.close();
    await proxy?.[Symbol.asyncDispose]();
    await endpoint?.[Symbol.asyncDispose]();
  });

  /** A daemon with what it did; `stop` ends it and waits. */
  async function start(yaml: string, scratch: string, repository: Repository) {
    const [stop, abort] = [new AbortController(), new AbortController()];
    const stored: Snapshot[] = [];
    const failed: unknown[] = [];
    const said: string[] = [];
    const metrics = createBackupMetrics();
    const options: DaemonOptions = {
      repository,
      plan: parseDaemonPlan(yaml, 'backup.yaml'),
      scratch,
      mdbxCopy: undefined,
      clock: { now: Date.now },
      metrics,
      events: {
        stored: (snapshot) => void stored.push(snapshot),
        said: (text) => void said.push(text),
        failed: (_subject, error) => void failed.push(error),
      },
      stop: stop.signal,
      abort: abort.signal,
      silence: 2000,
    };
    const running = runDaemon(options);
    return {
      stored,
      failed,
      said,
      metrics,
      async [Symbol.asyncDispose]() {
        stop.abort();
        await running;
      },
    };
  }

  async function until(what: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await what())) {
      if (Date.now() > deadline) throw new Error('it did not come to pass');
      await sleep(50);
    }
  }

  test('snapshots sets between their hooks, drills, prunes, and tells by metrics', { timeout: 240_000 }, async () => {
    await using directory = await temporaryDirectory('daemon');
    const repository = await Repository.init(await freshPlace(client), opener);
    const node = join(directory.path, 'node');
    const tree = join(directory.path, 'tree');
    await mkdir(tree);
    await writeFile(join(tree, 'bundle'), 'bundle');
    await write(node, { pageSize: 4096, seed: 1, commits: 30, changes: 100 });
    const log = join(directory.path, 'hooks');
    const yaml = `
sets:
  - name: both
    every: 1s
    rpo: 1m
    rto: 5m
    before: echo before >> ${log}
    after: echo after >> ${log}
    sources:
      - { name: node, path: ${node} }
      - { name: tree, path: ${tree}, kind: directory }
prune: { every: 1h, keep: { last: 100 } }
drill: { every: 1s }
`;
    const committed = new Map<number, bigint>();
    {
      await using writer = await startWriter(node, { pageSize: 4096, seed: 2, changes: 5, rate: 50 });
      await using daemon = await start(yaml, directory.path, repository);
      await using metrics = await serveMetrics(daemon.metrics, '127.0.0.1', 0);
      const records = () => collect(drillHistory(repository.source('node')));
      await until(async () => daemon.stored.length >= 8 && (await records()).length > 0, 150);
      expect(daemon.failed).toEqual([]);
      const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();
      expect(text).toMatch(/bucketwright_backup_last_success_timestamp_seconds\{source="node"\} \d{10}/);
      expect(text).toContain('bucketwright_backup_objective_seconds{source="tree"} 60');
      expect(text).toContain('bucketwright_backup_last_drill_success{source="node"} 1');
      // What the alerts ask for is there.
      const asked = alerts(stackModel(parseSettings({ environment: {} }))).filter(({ id }) => id.startsWith('backup-'));
      for (const { expression } of asked) for (const name of metricNames(expression)) expect(text).toContain(name);
      await writer.stop();
      for (const { txnid, sum } of writer.commits) committed.set(Number(txnid), sum);
    }
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    expect(lines).toEqual(lines.map((_, index) => (index % 2 === 0 ? 'before' : 'after')));
    const snapshots = await collect(repository.source('node').snapshots());
    const trees = await collect(repository.source('tree').snapshots());
    expect(snapshots.map(({ set }) => set?.id)).toEqual(trees.map(({ set }) => set?.id));
    expect((await findSet(repository, 'both')).map(({ source }) => source)).toEqual(['node', 'tree']);
    // One that was killed between the two is passed over.
    const [lone] = await collect(repository.source('node').names());
    const [other] = await collect(repository.source('tree').names());
    if (lone === undefined || other === undefined) throw new Error('no snapshot');
    await repository.source('tree').remove(other.key);
    expect((await findSet(repository, 'both')).map(({ id }) => id)).not.toContain(lone.id);
    await expect(findSet(repository, 'none')).rejects.toMatchObject({ code: 'no-such-snapshot' });
    const [newest] = snapshots;
    if (newest?.content.kind !== 'mdbx') throw new Error('no snapshot');
    const target = join(directory.path, 'restored');
    await restore({ store: repository.source('node'), snapshot: newest, target, force: false });
    await checkEnvironment(target);
    const sum = committed.get(newest.content.txnid);
    if (sum !== undefined) expect((await contentOf(target)).sum).toBe(sum);
    expect(await collect(repository.source('node').list('leases/'))).toEqual([]);
  });

  test('goes on after an outage, and another one stands by until it is gone', { timeout: 240_000 }, async () => {
    await using directory = await temporaryDirectory('daemon');
    const repository = await Repository.init(await freshPlace(client), opener);
    const tree = join(directory.path, 'tree');
    await mkdir(tree);
    const yaml = `sets: [{ name: tree, every: 1s, sources: [{ name: tree, path: ${tree}, kind: directory }] }]`;
    {
      await using first = await start(yaml, directory.path, repository);
      await until(() => first.stored.length > 0);
      await using second = await start(yaml, directory.path, repository);
      await until(() => second.failed.length > 0);
      expect(second.failed[0]).toMatchObject({ code: 'busy' });
      expect(await second.metrics.scrape()).toMatchObject({
        text: expect.stringContaining('standby{source="tree"} 1'),
      });
      proxy.inject(({ method }) => (method === 'PUT' ? { kind: 'reset' } : undefined));
      await until(() => first.failed.length > 0);
      proxy.inject(() => undefined);
      const before = first.stored.length;
      await until(() => first.stored.length > before);
      expect(second.stored).toEqual([]);
      await first[Symbol.asyncDispose]();
      await until(() => second.stored.length > 0);
    }
    const sequences = (await collect(repository.source('tree').names())).map(({ sequence }) => sequence);
    expect(new Set(sequences).size).toBe(sequences.length);
  });

  test('runs each set once for cron, and a set that fails holds up no other', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory('daemon');
    const repository = await Repository.init(await freshPlace(client), opener);
    const tree = join(directory.path, 'tree');
    await mkdir(tree);
    const log = join(directory.path, 'hooks');
    const yaml = `
sets:
  - { name: late, before: sleep 60, after: echo after >> ${log}, hook_limit: 500ms, sources: [{ name: a, path: ${tree}, kind: directory }] }
  - { name: absent, sources: [{ name: b, path: ${tree}/none }] }
  - { name: text, sources: [{ name: c, path: ${log} }] }
  - { name: good, sources: [{ name: d, path: ${tree}, kind: directory }] }
`;
    const failed: unknown[] = [];
    const failures = await runSetsOnce({
      repository,
      plan: parseDaemonPlan(yaml, 'backup.yaml'),
      scratch: directory.path,
      mdbxCopy: undefined,
      clock: { now: Date.now },
      metrics: createBackupMetrics(),
      events: { stored: () => undefined, said: () => undefined, failed: (_subject, error) => void failed.push(error) },
      stop: new AbortController().signal,
      abort: new AbortController().signal,
    });
    expect(failures).toBe(3);
    expect(failed).toMatchObject([{ code: 'hook' }, { code: 'source' }, { code: 'not-mdbx' }]);
    expect(await readFile(log, 'utf8')).toBe('after\n');
    const names = await Promise.all(['a', 'b', 'c', 'd'].map((name) => repository.source(name).newestName()));
    expect(names.map((name) => name !== undefined)).toEqual([false, false, false, true]);
  });
});
