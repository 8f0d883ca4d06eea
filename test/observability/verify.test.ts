/** `observability verify` against the real Loki and Tempo on the embedded server, and against stacks broken on purpose. */
import { createServer, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import type { Finding } from '../../src/core/finding.ts';
import { type VerifyInput, verifyStack } from '../../src/observability/verify/index.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import type { Settings } from '../../src/settings/index.ts';
import { freePorts } from '../support/ports.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { lokiBinary, missing, tempoBinary } from './binaries.ts';
import { inputOf, type RunningProgram, settingsOf, startLoki, startTempo } from './stack.ts';

async function verified(settings: Settings, addresses: Partial<VerifyInput>): Promise<Map<string, Finding>> {
  const findings = new Map<string, Finding>();
  for await (const finding of verifyStack(inputOf(settings, addresses))) findings.set(finding.id, finding);
  return findings;
}

async function makeBuckets({ storage, buckets }: Settings): Promise<void> {
  if (storage.kind !== 's3') return;
  const client = createClient(resolveConnection(storage));
  await client.createBucket(buckets.loki.bucket);
  await client.createBucket(buckets.tempo.bucket);
  client.close();
}

const statuses = (findings: ReadonlyMap<string, Finding>, program: RegExp): Record<string, string> =>
  Object.fromEntries([...findings].filter(([id]) => program.test(id)).map(([id, { status }]) => [id, status]));

const lokiSteps = [
  'loki-ready',
  'loki-settings',
  'loki-push',
  'loki-query',
  'loki-flush',
  'loki-objects',
  'loki-query-after',
];
const tempoSteps = ['tempo-ready', 'tempo-settings', 'trace-push', 'trace-query', 'tempo-objects', 'trace-query-after'];
const allOk = (steps: readonly string[]) => Object.fromEntries(steps.map((step) => [step, 'ok']));

skipUnless(lokiBinary !== undefined, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })('Loki', () => {
  let server: TestServer;
  let loki: RunningProgram;
  const prefixed = { S3_PREFIX_LOKI: 'prod-logs' };
  beforeAll(async () => {
    server = await startServer();
    const settings = settingsOf(server, prefixed);
    await makeBuckets(settings);
    loki = await startLoki(settings);
  });
  afterAll(async () => {
    await loki?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  it('on S3: every step holds, down to an object below the prefix', { timeout: 120_000 }, async () => {
    const findings = await verified(settingsOf(server, prefixed), { loki: loki.url });
    expect(statuses(findings, /^loki/), JSON.stringify([...findings.values()], null, 1)).toEqual(allOk(lokiSteps));
    expect(findings.get('loki-objects')?.found).toContain(' prod-logs/fake/');
  });

  it('with another prefix than the settings: says both, and that no object came', { timeout: 60_000 }, async () => {
    const findings = await verified(settingsOf(server, { S3_PREFIX_LOKI: 'other' }), { loki: loki.url, wait: 3_000 });
    expect(findings.get('loki-settings')).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/prod-logs.*other/),
    });
    expect(findings.get('loki-objects')).toMatchObject({ status: 'fail' });
    expect(findings.get('loki-query')).toMatchObject({ status: 'ok' });
  });

  it('without the bucket: says so', async () => {
    const settings = settingsOf(server, { S3_BUCKET_LOKI: 'not-there' });
    const findings = await verified(settings, { loki: loki.url, wait: 1_000 });
    expect(findings.get('loki-objects')).toMatchObject({ status: 'skip', found: expect.stringContaining('not-there') });
  });

  it('with keys that may not write: says so, and does not wait for objects', { timeout: 60_000 }, async () => {
    const [port = 0] = await freePorts(1);
    // a policy for the keys of the settings, made of a proxy: everything passes but writes
    const proxy = createServer((incoming, answer) => {
      if (incoming.method === 'PUT') {
        incoming.resume().on('end', () => {
          answer.writeHead(403, { 'content-type': 'application/xml' });
          answer.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
        });
        return;
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: server.host, port: server.port, method, path: url, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      });
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
    const settings = settingsOf({ ...server, url: `http://127.0.0.1:${port}` }, prefixed);
    const findings = await verified(settings, { loki: loki.url });
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    expect(findings.get('bucket-listable')).toMatchObject({ status: 'ok' });
    expect(findings.get('canary-write')).toMatchObject({ status: 'fail' });
    expect(findings.get('loki-objects')).toMatchObject({ status: 'skip' });
  });

  it('with S3 down: lines are still taken, and the endpoint is named', { timeout: 60_000 }, async () => {
    await server.stop();
    const findings = await verified(settingsOf(server, prefixed), { loki: loki.url, wait: 1_000 });
    expect(findings.get('reachable')).toMatchObject({ status: 'fail' });
    expect(statuses(findings, /^loki-(?:push|query|objects)$/)).toEqual({
      'loki-push': 'ok',
      'loki-query': 'ok',
      'loki-objects': 'skip',
    });
  });

  it('on the disk: every step but the objects in a bucket', { timeout: 60_000 }, async () => {
    await using disk = await startLoki(settingsOf(undefined));
    const findings = await verified(settingsOf(undefined), { loki: disk.url });
    expect(statuses(findings, /^loki/)).toEqual({ ...allOk(lokiSteps), 'loki-objects': 'skip' });
  });
});

skipUnless(tempoBinary !== undefined, missing('TEMPO_BIN'), { variable: 'TEMPO_BIN' })('Tempo', () => {
  let server: TestServer;
  let tempo: RunningProgram;
  const prefixed = { S3_PREFIX_TEMPO: 'prod/traces' };
  beforeAll(async () => {
    server = await startServer();
    const settings = settingsOf(server, prefixed);
    await makeBuckets(settings);
    tempo = await startTempo(settings);
  });
  afterAll(async () => {
    await tempo?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  it('on S3: every step holds, down to the trace in the blocks alone', { timeout: 180_000 }, async () => {
    const { url, otlp } = tempo;
    const findings = await verified(settingsOf(server, prefixed), { tempo: url, otlp });
    expect(statuses(findings, /^(?:tempo|trace)/), JSON.stringify([...findings.values()], null, 1)).toEqual(
      allOk(tempoSteps),
    );
    expect(findings.get('tempo-objects')?.found).toContain(' prod/traces/single-tenant/');
  });

  it('behind a collector that forwards nothing: says that Tempo received nothing', { timeout: 60_000 }, async () => {
    const [port = 0] = await freePorts(1);
    const sink = createServer((request, answer) => void request.resume().on('end', () => answer.end('{}')));
    await new Promise<void>((resolve) => sink.listen(port, '127.0.0.1', resolve));
    const findings = await verified(settingsOf(server, prefixed), {
      tempo: tempo.url,
      otlp: `http://127.0.0.1:${port}`,
    });
    sink.closeAllConnections();
    await new Promise((resolve) => sink.close(resolve));
    expect(findings.get('trace-query')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('not forwarding'),
    });
  });

  it('on the disk: found by id', { timeout: 60_000 }, async () => {
    await using disk = await startTempo(settingsOf(undefined));
    const findings = await verified(settingsOf(undefined), { tempo: disk.url, otlp: disk.otlp });
    expect(findings.get('trace-query')).toMatchObject({ status: 'ok' });
    expect(findings.get('tempo-objects')).toMatchObject({ status: 'skip' });
  });
});
