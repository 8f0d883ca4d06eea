import { randomBytes } from 'node:crypto';
import type { Finding } from '../../core/finding.ts';
import { CheckFailed, check, skipped } from '../../verify/check.ts';
import { lokiStore, tempoStore } from './effective.ts';
import { tenantHeader, type VerifyInput } from './input.ts';
import { findLine, flush, type LokiLine, pushLine } from './loki.ts';
import { foldersBelow } from './objects.ts';
import { ask, counter, until } from './program.ts';
import { objectsAppear, ready, settingsAgree } from './steps.ts';
import { examineStore, type StoreState } from './store.ts';
import { findTrace, pushTrace, type Trace } from './tempo.ts';

/** How long a pushed line or span may take to be found: a collector sends in batches. */
const hot = 20_000;

/**
 * The end-to-end proof against a running stack: a log line and a trace of its own go in, are found, become objects in
 * the bucket under the prefix, and are found again. One finding a step, with its latency. What it pushes stays until
 * retention removes it; its objects are looked for, never touched.
 */
export async function* verifyStack(input: VerifyInput): AsyncGenerator<Finding> {
  const state = yield* examineStore(input);
  try {
    yield* verifyLoki(input, state);
    yield* verifyTempo(input, state);
  } finally {
    state?.client.close();
  }
}

async function* verifyLoki(input: VerifyInput, state: StoreState | undefined): AsyncGenerator<Finding> {
  const { loki: url } = input;
  const headers = tenantHeader(input);
  const up = await ready('loki', url);
  yield up;
  if (up.status === 'fail') return yield skipped('loki-push', url, 'everything else waits for Loki');
  yield await settingsAgree('loki', input, async () => {
    const text = await ask(`${url}/config`);
    return text === undefined ? undefined : lokiStore(text, Date.now());
  });
  const run = randomBytes(8).toString('hex');
  const line: LokiLine = {
    labels: { job: 'bucketwright-verify', run },
    text: `bucketwright observability verify ${run}`,
    time: Date.now(),
  };
  const tenant = `${input.tenant ?? 'fake'}/`;
  const before = await folders(input, state, 'loki', tenant);
  const failures = await lokiFailures(url);
  const pushed = await check(
    { id: 'loki-push', subject: url, expected: 'a log line is taken', why: 'no logs arrive' },
    async () => {
      await pushLine(url, line, headers);
      return `a line with run="${run}" was taken`;
    },
  );
  yield pushed;
  if (pushed.status === 'fail') return yield skipped('loki-query', url, 'nothing was pushed');
  yield await lineFound('loki-query', input, line, hot);
  yield await check(
    {
      id: 'loki-flush',
      subject: url,
      expected: 'POST /flush answers 204',
      why: 'no proof that chunks reach the store',
    },
    async () => {
      await flush(url, headers);
      return 'asked to flush';
    },
  );
  const evidence = async () => {
    const more = (await lokiFailures(url)) - failures;
    return more > 0
      ? `Loki counts ${more} failed store operations since: its own endpoint, bucket or keys do not work`
      : 'Loki counts no failed store operation: it writes somewhere else, or has not flushed';
  };
  yield await objectsAppear({ program: 'loki', input, state, tenant, before, counts: () => true, evidence });
  yield await lineFound('loki-query-after', input, line, hot);
}

function lineFound(id: string, input: VerifyInput, line: LokiLine, wait: number): Promise<Finding> {
  const why = 'logs that were taken are not found';
  return check({ id, subject: input.loki, expected: 'a query finds the line', why }, async () => {
    const found = await until(wait, async () => (await findLine(input.loki, line, tenantHeader(input))) || undefined);
    if (found === undefined) throw new CheckFailed(`not found within ${wait / 1000} s`);
    return 'the query finds the line';
  });
}

async function* verifyTempo(input: VerifyInput, state: StoreState | undefined): AsyncGenerator<Finding> {
  const { tempo: url, otlp } = input;
  const headers = tenantHeader(input);
  const up = await ready('tempo', url);
  yield up;
  if (up.status === 'fail') return yield skipped('trace-push', url, 'everything else waits for Tempo');
  yield await settingsAgree('tempo', input, async () => {
    const text = await ask(`${url}/status/config`);
    return text === undefined ? undefined : tempoStore(text);
  });
  const trace: Trace = {
    id: randomBytes(16).toString('hex'),
    span: randomBytes(8).toString('hex'),
    name: `bucketwright-verify-${randomBytes(8).toString('hex')}`,
    time: Date.now(),
  };
  const tenant = `${input.tenant ?? 'single-tenant'}/`;
  const before = await folders(input, state, 'tempo', tenant);
  const received = await spansReceived(url);
  const pushed = await check(
    {
      id: 'trace-push',
      subject: otlp,
      expected: 'a span is taken, OTLP over HTTP',
      why: 'no traces arrive',
      advice: 'is the collector, or Tempo’s OTLP receiver, published on this address (--otlp-url)?',
    },
    async () => {
      await pushTrace(otlp, trace, headers);
      return `trace ${trace.id} was taken`;
    },
  );
  yield pushed;
  if (pushed.status === 'fail') return yield skipped('trace-query', url, 'nothing was pushed');
  const found = await check(
    {
      id: 'trace-query',
      subject: url,
      expected: 'a look-up by id finds the trace',
      why: 'traces that were taken are not found',
    },
    async () => {
      if (await traceFound(input, trace, 'anywhere', hot)) return 'the look-up by id finds the trace';
      const arrived = (await spansReceived(url)) - received;
      throw new CheckFailed(
        arrived > 0
          ? `Tempo received ${arrived} spans since, but this trace is not found`
          : `${otlp} took the trace, but Tempo received no span since: the collector is not forwarding`,
        {
          advice: arrived > 0 ? 'see the log of Tempo' : 'see the log of the collector; where does its exporter send?',
        },
      );
    },
  );
  yield found;
  if (found.status === 'fail') return yield skipped('tempo-objects', url, 'Tempo does not have the trace');
  const evidence = async () => {
    const page = (await ask(`${url}/metrics`)) ?? '';
    const failed = counter(page, 'tempo_live_store_local_failed_flushes_total');
    return failed > 0
      ? `Tempo counts ${failed} failed flushes since it started: its own endpoint, bucket or keys do not work`
      : 'Tempo counts no failed flush: it writes somewhere else, or has not cut a block yet';
  };
  // A block exists once its meta.json does.
  const counts = (key: string) => key.endsWith('/meta.json');
  const objects = await objectsAppear({ program: 'tempo', input, state, tenant, before, counts, evidence });
  yield objects;
  if (objects.status !== 'ok') return;
  yield await check(
    {
      id: 'trace-query-after',
      subject: url,
      expected: 'blocks in the store hold the trace',
      why: 'the trace is lost with the local disk',
      advice: 'a block is found after the next poll of the list of blocks (blocklist_poll): wait longer, --wait',
    },
    async () => {
      if (await traceFound(input, trace, 'blocks', input.wait)) return 'a look-up in the blocks alone finds the trace';
      throw new CheckFailed(`not in the blocks within ${Math.round(input.wait / 1000)} s`);
    },
  );
}

async function traceFound(input: VerifyInput, trace: Trace, where: 'anywhere' | 'blocks', wait: number) {
  const headers = tenantHeader(input);
  const found = await until(wait, async () => (await findTrace(input.tempo, trace, where, headers)) || undefined);
  return found ?? false;
}

async function folders(
  { buckets }: VerifyInput,
  state: StoreState | undefined,
  program: 'loki' | 'tempo',
  tenant: string,
): Promise<ReadonlySet<string>> {
  const { bucket, prefix } = buckets[program];
  if (state === undefined || state.broken(buckets[program]) !== undefined) return new Set();
  return foldersBelow(state.client, bucket, `${prefix}${tenant}`);
}

async function lokiFailures(url: string): Promise<number> {
  return counter((await ask(`${url}/metrics`)) ?? '', 'loki_objstore_bucket_operation_failures_total', '"upload"');
}

async function spansReceived(url: string): Promise<number> {
  return counter((await ask(`${url}/metrics`)) ?? '', 'tempo_distributor_spans_received_total');
}
