/** The programs themselves accept what is rendered; the key tables alone could be wrong about a value. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderLoki, renderLokiFilesystem } from '../../src/observability/loki/render.ts';
import { planLokiMigration } from '../../src/observability/migrate/index.ts';
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

skipUnless(lokiBinary !== undefined, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })('Loki accepts migrated', () => {
  const args = (file: string) => [`-config.file=${file}`, '-config.expand-env=true', '-verify-config'];
  const model = modelOf({});
  const both = (text: string) => {
    const now = Date.now();
    const there = planLokiMigration({ subject: 'f', text, to: 's3', from: undefined, model, now }).text;
    const later = now + 30 * 86_400_000;
    const back = planLokiMigration({ subject: 'f', text: there, to: 'filesystem', from: undefined, model, now: later });
    return [there, back.text];
  };
  const older = `auth_enabled: false
common:
  path_prefix: /tmp/loki
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory
  storage:
    filesystem:
      chunks_directory: /tmp/loki/chunks
      rules_directory: /tmp/loki/rules
schema_config:
  configs:
    - from: 2020-10-24
      store: tsdb
      object_store: filesystem
      schema: v13
      index:
        prefix: index_
        period: 24h
`;
  it('files that are rendered, and back', async () => {
    for (const text of both(renderLokiFilesystem(model))) await accepted(lokiBinary, args, text);
  });
  it("Loki's own example for the disk, and back", async () => {
    for (const text of both(older)) await accepted(lokiBinary, args, text);
  });
  const inS3 = (storage: string, store = 'aws') =>
    `${older.replace(/ {2}storage:[\s\S]*?(?=schema_config)/, storage).replace('object_store: filesystem', `object_store: ${store}`)}compactor:
  working_directory: /tmp/loki/compactor
  retention_enabled: true
  delete_request_store: ${store}
limits_config:
  retention_period: 744h
`;
  it.each([
    [
      'storage_config.aws, in parts',
      inS3(
        'storage_config:\n  aws:\n    endpoint: http://10.0.0.1:9000\n    bucketnames: cloudlysis-loki\n    region: x\n    s3forcepathstyle: true\n    access_key_id: A\n    secret_access_key: S\n    http_config: {insecure_skip_verify: true, idle_conn_timeout: 90s}\n    sse: {type: SSE-S3}\n',
      ),
    ],
    [
      'storage_config.aws, as a URL',
      inS3('storage_config:\n  aws:\n    s3: s3://KEY:SE%2FCRET@minio.local:9000/cloudlysis-loki\n'),
    ],
    [
      'storage_config.aws, a region alone',
      inS3('storage_config:\n  aws:\n    s3: s3://eu-central-1/cloudlysis-loki\n'),
    ],
    [
      'common.storage.s3',
      inS3(
        '  storage:\n    s3:\n      endpoint: fsn1.your-objectstorage.com\n      bucketnames: cloudlysis-loki\n      region: fsn1\n',
        's3',
      ),
    ],
    [
      'common.storage.object_store',
      inS3(
        '  storage:\n    object_store:\n      s3:\n        endpoint: fsn1.your-objectstorage.com\n        bucket_name: cloudlysis-loki\n        region: fsn1\nstorage_config: {use_thanos_objstore: true}\n',
        's3',
      ),
    ],
  ])('%s: to the disk, and back to S3', async (_name, text) => {
    const now = Date.now();
    await accepted(lokiBinary, args, text);
    const client = planLokiMigration({ subject: 'f', text, to: 's3', from: undefined, model, now });
    expect(client.kind).toBe(text.includes('common') && text.includes('use_thanos') ? 'nothing' : 'client');
    await accepted(lokiBinary, args, client.text);
    for (const first of [text, client.text]) {
      const disk = planLokiMigration({ subject: 'f', text: first, to: 'filesystem', from: undefined, model, now });
      expect(disk.kind).toBe('append');
      await accepted(lokiBinary, args, disk.text);
      const later = now + 30 * 86_400_000;
      const back = planLokiMigration({ subject: 'f', text: disk.text, to: 's3', from: undefined, model, now: later });
      expect(back.kind).toBe('append');
      await accepted(lokiBinary, args, back.text);
    }
  });
  it('the same with the directory where Loki 2 had it', async () => {
    const text = older.replace(
      / {2}storage:[\s\S]*?(?=schema_config)/,
      'storage_config:\n  filesystem:\n    directory: /data\n',
    );
    for (const migrated of both(text)) await accepted(lokiBinary, args, migrated);
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
