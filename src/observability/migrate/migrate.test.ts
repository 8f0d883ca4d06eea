import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../settings/index.ts';
import { stackModel } from '../../stack/index.ts';
import { renderLoki, renderLokiFilesystem, renderLokiS3 } from '../loki/render.ts';
import { renderTempo } from '../tempo/render.ts';
import { unifiedDiff } from './diff.ts';
import { MigrationError } from './errors.ts';
import { planLokiMigration } from './loki.ts';
import { planTempoMigration } from './tempo.ts';

const now = Date.parse('2026-06-10T15:00:00Z');
const day = 86_400_000;
const modelOf = (environment: Readonly<Record<string, string>>) => stackModel(parseSettings({ environment }));
const model = modelOf({});
type Input = Parameters<typeof planLokiMigration>[0];
const plan = (text: string, to: Input['to'], rest: Partial<Input> = {}) =>
  planLokiMigration({ subject: 'config.yml', text, to, from: undefined, model, now, ...rest });

describe('from the disk to S3', () => {
  const before = renderLokiFilesystem(model);
  const migration = plan(before, 's3');

  it('appends a period two days ahead, keeps both stores and every comment', () => {
    expect(migration).toMatchObject({ kind: 'append', from: '2026-06-12' });
    const removed = unifiedDiff('f', before, migration.text).match(/^-(?!--).*$/gm);
    expect(removed).toEqual(['-  delete_request_store: filesystem']);
    expect(migration.text).toContain('      dir: /loki/chunks\n    s3:\n      endpoint: minio:9000\n');
    expect(migration.text).toContain('    - from: "2026-06-12"\n      store: tsdb\n      object_store: s3\n');
    expect(migration.steps.at(-1)).toContain('may go from 2026-07-14 on');
  });

  it('applied twice changes nothing', () => {
    expect(plan(migration.text, 's3')).toMatchObject({ kind: 'nothing', text: migration.text });
  });

  it('taken back before it begins, the file is byte for byte what it was', () => {
    expect(plan(migration.text, 'filesystem')).toMatchObject({ kind: 'cancel', text: before });
  });

  it('rolled back after it began, a third period follows and nothing is taken away', () => {
    const back = plan(migration.text, 'filesystem', { now: now + 30 * day });
    expect(back).toMatchObject({ kind: 'append', from: '2026-07-12' });
    expect(unifiedDiff('f', migration.text, back.text)).not.toMatch(/^-(?!--)/m);
    expect(back.text.match(/object_store: (?:s3|filesystem)/g)).toHaveLength(3);
  });

  it('never begins on a day that has begun, and never before the newest period', () => {
    for (const from of ['2026-06-10', '2026-06-09', '2026-02-30', 'soon', '2026-6-20', '2024-01-01']) {
      expect(() => plan(before, 's3', { from })).toThrow(MigrationError);
    }
    expect(plan(before, 's3', { from: '2026-06-11' }).from).toBe('2026-06-11');
  });

  it('moves an unprefixed disk store below a new prefix, as a step of its own', () => {
    const prefixed = plan(before, 's3', { model: modelOf({ S3_PREFIX_LOKI: 'prod' }) });
    expect(prefixed.steps[0]).toContain('mv /loki/chunks /loki/chunks.new/prod');
    expect(prefixed.text).toContain('storage_prefix: "prod"');
  });
});

it('line ends and a byte order mark stay as they are', () => {
  const before = `\ufeff${renderLokiFilesystem(model).replaceAll('\n', '\r\n')}`;
  const there = plan(before, 's3');
  expect(unifiedDiff('f', before, there.text).match(/^-(?!--)[^\n]*/gm)).toEqual([
    '-  delete_request_store: filesystem\r',
  ]);
  expect(plan(there.text, 'filesystem').text).toBe(before);
});

it('from S3 to the disk: the bucket stays configured', () => {
  const before = renderLokiS3(model);
  const { text } = plan(before, 'filesystem');
  expect(unifiedDiff('f', before, text)).not.toMatch(/^-(?!--)/m);
  expect(text).toContain('dir: /loki/chunks');
  expect(plan(text, 's3').text).toBe(before);
});

it('an old file with the older client gets the new one, over the same directory', () => {
  const old = `# ours\nauth_enabled: false\ncommon:\n    path_prefix: /data\n    storage:\n        filesystem:\n            chunks_directory: /data/c # here\nschema_config:\n    configs:\n    - from: 2023-01-01\n      store: boltdb-shipper\n      object_store: filesystem\n      schema: v12\n      index:\n          prefix: index_\n          period: 24h\n`;
  const { text } = plan(old, 's3');
  expect(text.startsWith(old.slice(0, old.indexOf('schema_config')))).toBe(true);
  expect(text).toContain('use_thanos_objstore: true');
  expect(text).toContain('dir: /data/c\n');
  expect(plan(text, 's3').kind).toBe('nothing');
});

describe('refuses, with one line', () => {
  const fine = renderLokiFilesystem(model);
  it.each([
    ['no YAML', 'a: [1'],
    ['a tab', 'server:\n\thttp_listen_port: 1\n'],
    ['no map', '- 1\n'],
    ['an unknown key', `${fine}nonsense: 1\n`],
    ['a removed option', fine.replace('ingester:\n', 'ingester:\n  max_transfer_retries: 0\n')],
    ['a prefix with a slash', fine.replace('storage_prefix: ""', 'storage_prefix: "/loki"')],
    ['no period', fine.replace(/schema_config:[\s\S]*?\ningester/, 'ingester')],
    ['a period that is no day', fine.replace('"2024-01-01"', '"2024-1-1"')],
    ['a retention shorter than an index period', fine.replace('744h', '12h')],
    ['another bucket', renderLokiS3(modelOf({ S3_BUCKET_LOKI: 'other' }))],
    ['another prefix', renderLokiFilesystem(modelOf({ S3_PREFIX_LOKI: 'x' }))],
    ['a named store', fine.replace('object_store: filesystem', 'object_store: mine')],
  ])('%s', (_name, text) => {
    const migrate = () => plan(text, text.includes('"other"') ? 'filesystem' : 's3');
    expect(migrate).toThrow(MigrationError);
    expect(migrate).toThrow(/^[^\n]+$/);
  });
});

it('for any history: what is planned is planned once, and no period that was there is lost', () => {
  const anyHistory = fc.array(fc.constantFrom('s3' as const, 'filesystem' as const), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(anyHistory, fc.constantFrom('s3' as const, 'filesystem' as const), (stores, to) => {
      const [first = 's3', ...more] = stores;
      const at = (index: number) => `202${index}-03-01`;
      const rest = more.map((store, index) => ({ from: at(index + 1), store }));
      const text = renderLoki(model, { major: 3, periods: [{ from: at(0), store: first }, ...rest] });
      const done = plan(text, to);
      for (const index of stores.keys()) expect(done.text).toContain(`from: "${at(index)}"`);
      expect(plan(done.text, to)).toMatchObject({ kind: 'nothing', text: done.text });
    }),
  );
});

it('a diff leads from one text to the other', () => {
  const anyText = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => `${lines.join('\n')}\n`);
  fc.assert(
    fc.property(anyText, anyText, (before, after) => {
      const diff = unifiedDiff('f', before, after);
      expect(diff === '').toBe(before === after);
      const marked = (mark: string) =>
        (diff.match(new RegExp(`^\\${mark}(?!${mark === '+' ? '\\+\\+' : '--'}).*$`, 'gm')) ?? []).length;
      expect(marked('+') - marked('-')).toBe(after.split('\n').length - before.split('\n').length);
    }),
  );
});

describe('Tempo', () => {
  const move = (text: string, to: 's3' | 'filesystem') => planTempoMigration({ subject: 'tempo.yml', text, to, model });
  const before = renderTempo(model, 'local');

  it('there, again, and back: one switch, then nothing, then byte for byte what it was', () => {
    const there = move(before, 's3');
    expect(there.text).toContain('    backend: s3\n');
    expect(there.steps[1]).toContain('from /var/tempo/blocks to s3://cloudlysis-tempo/,');
    expect(move(there.text, 's3')).toMatchObject({ kind: 'nothing', text: there.text });
    expect(move(there.text, 'filesystem')).toMatchObject({ kind: 'switch', text: before });
  });

  it('refuses what Tempo refuses, and another bucket than that of the settings', () => {
    const other = renderTempo(modelOf({ S3_BUCKET_TEMPO: 'other' }), 's3');
    for (const text of ['a: [', 'compactor:\n  x: 1\n', other, before.replace('backend: local', 'backend: gcs')]) {
      expect(() => move(text, text === other ? 'filesystem' : 's3')).toThrow(MigrationError);
    }
  });
});
