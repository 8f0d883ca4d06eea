/** S3 goes away under the real Loki and Tempo and comes back: what docs/how-to/outages.md says of a short outage. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { metrics } from '../../src/observability/metrics.ts';
import { findLine, flush, type LokiLine, pushLine } from '../../src/observability/verify/loki.ts';
import { ask, counter, until } from '../../src/observability/verify/program.ts';
import { findTrace, pushTrace, type Trace } from '../../src/observability/verify/tempo.ts';
import { startServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { lokiBinary, missing, tempoBinary } from './binaries.ts';
import { Figures } from './figures.ts';
import { settingsOf, startLoki, startTempo } from './stack.ts';
import { clientOf, objectsBelow } from './stores.ts';

const lineNow = (name: string): LokiLine => ({
  labels: { job: 'outage', run: `${name}-${Date.now()}` },
  text: `the line ${name} of ${Date.now()}`,
  time: Date.now(),
});
const soon = (milliseconds: number, task: () => Promise<boolean>): Promise<boolean> =>
  until(milliseconds, async () => (await task()) || undefined).then((value) => value ?? false);
const metric = async (url: string, name: string, having = ''): Promise<number> =>
  counter((await ask(`${url}/metrics`)) ?? '', name, having);

/** The names that alerts and dashboards are built on and that the program does not have. */
const absent = async (url: string, names: readonly string[]): Promise<readonly string[]> => {
  const page = (await ask(`${url}/metrics`)) ?? '';
  return names.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(page));
};

skipUnless(lokiBinary !== undefined, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })('Loki without S3', () => {
  it('takes lines, shows them, says that flushing fails, and keeps them over a restart', {
    timeout: 300_000,
  }, async () => {
    const figures = new Figures('Loki without S3');
    await using directory = await temporaryDirectory('outage');
    const store = { data: join(directory.path, 's3') };
    const data = join(directory.path, 'loki');
    for (const path of [store.data, data]) await mkdir(path);
    const first = await startServer(store);
    const settings = settingsOf(first, { S3_BUCKET_LOKI: 'outage-loki' });
    const client = clientOf(settings);
    await client.createBucket('outage-loki');
    const line = lineNow('during');
    {
      await using loki = await startLoki(settings, { data });
      // A query needs the day's index, which Loki then has on its disk; one that never had it waits for S3.
      const earlier = lineNow('before');
      await pushLine(loki.url, earlier, {});
      expect(await soon(20_000, () => findLine(loki.url, earlier, {}))).toBe(true);
      await first.stop();
      await figures.time('push with S3 away', () => pushLine(loki.url, line, {}));
      expect(await figures.time('query with S3 away', () => soon(20_000, () => findLine(loki.url, line, {})))).toBe(
        true,
      );
      await flush(loki.url, {});
      const failed = async () =>
        (await metric(loki.url, 'loki_objstore_bucket_operation_failures_total', '"upload"')) > 0;
      expect(await figures.time('until failures are counted', () => soon(120_000, failed))).toBe(true);
      // Counted by reason, so it is not there before a first flush succeeded.
      expect(await absent(loki.url, metrics.loki)).toEqual(['loki_ingester_chunks_flushed_total']);
    }
    await using second = await startServer({ ...store, ports: [first.port, first.adminPort] });
    expect(second.url).toBe(first.url);
    await using loki = await figures.time('start from the write-ahead log', () => startLoki(settings, { data }));
    expect(await figures.time('query after S3 is back', () => soon(20_000, () => findLine(loki.url, line, {})))).toBe(
      true,
    );
    await flush(loki.url, {});
    const stored = async () => (await objectsBelow(client, 'outage-loki', 'fake/')).size === 2;
    expect(await figures.time('flush after S3 is back', () => soon(60_000, stored))).toBe(true);
    expect(await absent(loki.url, ['loki_ingester_chunks_flushed_total'])).toEqual([]);
    figures.print();
    client.close();
  });
});

skipUnless(tempoBinary !== undefined, missing('TEMPO_BIN'), { variable: 'TEMPO_BIN' })('Tempo without S3', () => {
  it('takes traces, finds them, says that flushing fails, and writes them later', { timeout: 300_000 }, async () => {
    const figures = new Figures('Tempo without S3');
    await using directory = await temporaryDirectory('outage');
    const store = { data: join(directory.path, 's3') };
    const data = join(directory.path, 'tempo');
    for (const path of [store.data, data]) await mkdir(path);
    const first = await startServer(store);
    const settings = settingsOf(first, { S3_BUCKET_TEMPO: 'outage-tempo' });
    const client = clientOf(settings);
    await client.createBucket('outage-tempo');
    await using tempo = await startTempo(settings, { data });
    await first.stop();
    const trace: Trace = { id: 'ab'.repeat(16), span: 'cd'.repeat(8), name: `outage-${Date.now()}`, time: Date.now() };
    await figures.time('push with S3 away', () => pushTrace(tempo.otlp, trace, {}));
    const found = (where: 'anywhere' | 'blocks') => soon(90_000, () => findTrace(tempo.url, trace, where, {}));
    const failed = async () => (await metric(tempo.url, 'tempo_live_store_local_failed_flushes_total')) > 0;
    expect(await figures.time('until failures are counted', () => soon(180_000, failed))).toBe(true);
    await using second = await startServer({ ...store, ports: [first.port, first.adminPort] });
    expect(second.url).toBe(first.url);
    const stored = async () =>
      [...(await objectsBelow(client, 'outage-tempo', '')).keys()].some((key) => key.endsWith('/meta.json'));
    expect(await figures.time('block after S3 is back', () => soon(180_000, stored))).toBe(true);
    expect(await figures.time('look-up in blocks alone', () => found('blocks'))).toBe(true);
    expect(await absent(tempo.url, metrics.tempo)).toEqual([]);
    figures.print();
    client.close();
  });
});
