/** `bucketwright observability verify` as a user runs it, against the real Loki and Tempo side by side on each store. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { lokiBinary, missing, tempoBinary } from './binaries.ts';
import { settingsOf, startLoki, startTempo } from './stack.ts';
import { clientOf, stores } from './stores.ts';

const answer = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({ id: z.string(), status: z.string(), found: z.string(), milliseconds: z.number().optional() }),
  ),
});

for (const store of stores) {
  const title = `observability verify on ${store.name}`;
  const variable = lokiBinary === undefined ? 'LOKI_BIN' : 'TEMPO_BIN';
  if (lokiBinary === undefined || tempoBinary === undefined) {
    skipUnless(false, missing(variable), { variable })(title, () => {});
    continue;
  }
  skipUnless(store.missing === undefined, store.missing ?? '')(title, () => {
    it('every step holds', { timeout: 300_000 }, async () => {
      await using endpoint = await store.start();
      await using directory = await temporaryDirectory('verify');
      const environment = {
        S3_ENDPOINT: endpoint.url,
        S3_INSECURE: 'true',
        S3_REGION: endpoint.region,
        S3_ACCESS_KEY_ID: endpoint.accessKeyId,
        S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
        S3_PROVIDER: store.provider,
        // one bucket for both, so that their prefixes count
        S3_BUCKET_LOKI: 'verify-both',
        S3_BUCKET_TEMPO: 'verify-both',
      };
      const settings = settingsOf(endpoint, environment);
      const client = clientOf(settings);
      await client.createBucket('verify-both');
      client.close();
      await using loki = await startLoki(settings);
      await using tempo = await startTempo(settings);
      const urls = ['--loki-url', loki.url, '--tempo-url', tempo.url, '--otlp-url', tempo.otlp];
      const env = cleanEnvironment({ ...environment, NO_COLOR: '1' });
      const args = [commandLine, 'observability', 'verify', ...urls, '--json'];
      const { stdout } = await run(process.execPath, args, {
        cwd: directory.path,
        env,
        timeoutMs: 240_000,
        allow: [0, 2],
      });
      const { ok, findings } = answer.parse(JSON.parse(stdout));
      const rows = findings.map(({ id, milliseconds, found }) => `| ${id} | ${milliseconds ?? ''} ms | ${found} |`);
      process.stdout.write(`\n### ${title}\n\n| step | took | found |\n|---|--:|---|\n${rows.join('\n')}\n`);
      expect({ ok, wrong: findings.filter(({ status }) => status !== 'ok') }).toEqual({ ok: true, wrong: [] });
      expect(findings.map(({ id }) => id)).toEqual(expect.arrayContaining(['loki-query-after', 'trace-query-after']));
    });
  });
}
