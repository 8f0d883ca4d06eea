/** The programs themselves accept what is rendered; the key tables alone could be wrong about a value. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderLoki } from '../../src/observability/loki/render.ts';
import { renderTempo } from '../../src/observability/tempo/render.ts';
import { modelOf } from '../render/settings.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { lokiBinary, missing, tempoBinary } from './binaries.ts';

const keys = { S3_ACCESS_KEY_ID: 'AKIAEXAMPLE', S3_SECRET_ACCESS_KEY: 'secretsecretsecret' };
const hetzner = { S3_ENDPOINT: 'https://fsn1.your-objectstorage.com', ...keys };
const environments = [
  ['no settings', {}],
  ['Hetzner', hetzner],
  ['Hetzner, prefixes', { ...hetzner, S3_PREFIX_LOKI: 'prod-logs/', S3_PREFIX_TEMPO: 'prod/traces' }],
  ['Hetzner, one bucket', { ...hetzner, S3_BUCKET_LOKI: 'acme-all', S3_BUCKET_TEMPO: 'acme-all' }],
  ['plain http, IPv6', { S3_ENDPOINT: 'http://[::1]:9000', S3_INSECURE: 'true', ...keys }],
  ['AWS', { S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com', ...keys }],
  ['shortest retention', { ...hetzner, RETENTION_LOGS: '24h', RETENTION_TRACES: '24h' }],
  ['odd retention', { ...hetzner, RETENTION_LOGS: '400d3h7m', RETENTION_TRACES: '90d' }],
  ['buffer', { ...hetzner, S3_OUTAGE_MODE: 'buffer' }],
] as const;

async function accepted(binary: string | undefined, args: (file: string) => readonly string[], text: string) {
  await using directory = await temporaryDirectory('accepted');
  const file = join(directory.path, 'config.yml');
  await writeFile(file, text);
  const { code, stderr, stdout } = await run(binary ?? '', args(file), { cwd: directory.path, allow: [0, 1, 2] });
  expect(code, `${stdout}${stderr}`).toBe(0);
}

const disk = { from: '2024-01-01', store: 'filesystem' } as const;
const s3 = { from: '2099-01-01', store: 's3' } as const;

skipUnless(lokiBinary !== undefined, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })('Loki accepts', () => {
  const args = (file: string) => [`-config.file=${file}`, '-config.expand-env=true', '-verify-config'];
  it.each(environments)('%s, in every mode', async (_name, environment) => {
    const model = modelOf(environment);
    const back = { from: '2100-01-01', store: 'filesystem' } as const;
    for (const periods of [[disk], [{ ...s3, from: '2024-01-01' }], [disk, s3], [disk, s3, back]] as const) {
      await accepted(lokiBinary, args, renderLoki(model, { major: 3, periods }));
    }
  });
});

skipUnless(tempoBinary !== undefined, missing('TEMPO_BIN'), { variable: 'TEMPO_BIN' })('Tempo accepts', () => {
  const args = (file: string) => [`-config.file=${file}`, '-config.expand-env=true', '-config.verify=true'];
  it.each(environments)('%s, in both modes', async (_name, environment) => {
    for (const backend of ['local', 's3'] as const) {
      await accepted(tempoBinary, args, renderTempo(modelOf(environment), backend));
    }
  });
});
