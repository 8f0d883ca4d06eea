/** Configuration files and settings that nobody should have: one clear line, and nothing written. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DAY } from '../../src/core/durations.ts';
import { checkLoki, checkTempo } from '../../src/observability/check/index.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine, repository } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const good = {
  loki: await readFile(join(repository, 'observability/loki/config.yml'), 'utf8'),
  tempo: await readFile(join(repository, 'observability/tempo/config.yml'), 'utf8'),
};

const about = { subject: 'config.yml', wanted: undefined, retention: 31 * DAY };
const checks = {
  loki: (text: string) => checkLoki({ ...about, text, now: Date.now() }),
  tempo: (text: string) => checkTempo({ ...about, text }),
};

const allow = [0, 1, 2, 64, 78];
const bucketwright = (args: readonly string[], cwd: string, env = {}) =>
  run(process.execPath, [commandLine, 'observability', ...args], { cwd, env: cleanEnvironment(env), allow });

/** A file, by its change of the good one, and what the line must name. */
const files: [what: string, program: 'loki' | 'tempo', change: (text: string) => string, names: RegExp][] = [
  ['no YAML', 'loki', (text) => `${text}server: [`, /no YAML.* line \d+/],
  ['no YAML', 'tempo', (text) => `${text}server: [`, /no YAML.* line \d+/],
  ['tabs', 'loki', (text) => text.replace('server:\n  ', 'server:\n\t'), /indented with a tab/],
  ['no text', 'loki', () => '\u0000\u0001', /no text in UTF-8/],
  ['several documents', 'loki', (text) => `${text}---\n${text}`, /second document begins at line \d+/],
  ["the other program's file", 'loki', () => good.tempo, /this is Tempo's configuration/],
  ["the other program's file", 'tempo', () => good.loki, /this is Loki's configuration/],
  ['unknown keys', 'loki', (text) => `${text}nonsense: 1\n`, /nonsense: no key of Loki/],
  ['unknown keys', 'tempo', (text) => `${text}nonsense: 1\n`, /nonsense: no key of Tempo/],
  [
    'a removed option',
    'loki',
    (text) => text.replace('ingester:\n', 'ingester:\n  max_transfer_retries: 0\n'),
    /max_transfer_retries.*removed/,
  ],
  ['a removed option', 'tempo', (text) => `${text}compactor: {}\n`, /compactor.*gone in Tempo 3/],
  [
    'a prefix with a leading slash',
    'loki',
    (text) => text.replace('storage_prefix: ""', 'storage_prefix: /loki'),
    /"?\/loki"?/,
  ],
  [
    'a prefix with a leading slash',
    'tempo',
    (text) =>
      text.replace('backend: local', 'backend: s3\n    s3: { endpoint: h, bucket: cloudlysis-tempo, prefix: /x }'),
    /\/x begins with a slash/,
  ],
  ['a retention shorter than an index period', 'loki', (text) => text.replace('744h', '12h'), /shorter than.*24h/],
  ['a retention that is no duration', 'loki', (text) => text.replace('744h', 'forever'), /forever is no duration/],
  ['a retention that is no duration', 'tempo', (text) => text.replaceAll('336h', '14d'), /14d is no duration/],
  ['a period that is no day', 'loki', (text) => text.replace('2024-01-01', '2024-13-41'), /2024-13-41/],
];

describe('a configuration file with', () => {
  it.each(files)('%s (%s)', { timeout: 60_000 }, async (_what, program, change, names) => {
    await using directory = await temporaryDirectory('bad-input');
    const text = change(good[program]);
    expect(text).not.toBe(good[program]);
    const file = join(directory.path, 'config.yml');
    await writeFile(file, text);
    const to = text.includes('backend: s3') ? 'filesystem' : 's3';
    const migrated = await bucketwright(['migrate', '--to', to, `--${program}`, file, '--apply'], directory.path);
    expect(migrated.stderr).toMatch(/^bucketwright: .*nothing was written\n$/);
    expect(migrated.stderr).toMatch(names);
    expect([migrated.code, migrated.stdout]).toEqual([78, '']);
    const failed = checks[program](text).filter(({ status }) => status === 'fail');
    expect(failed).toEqual([expect.objectContaining({ why: expect.any(String), advice: expect.any(String) })]);
    expect(await readdir(directory.path)).toEqual(['config.yml']);
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});

describe('what is asked for:', () => {
  it.each<[string, string[], Readonly<Record<string, string>>, RegExp]>([
    ['a period in the past', ['--from', '2024-06-01'], {}, /2024-06-01 is not in the future/],
    ['a period today', ['--from', new Date().toISOString().slice(0, 10)], {}, /is not in the future/],
    [
      'a bucket shared without distinct prefixes',
      [],
      { S3_BUCKET_LOKI: 'one', S3_BUCKET_TEMPO: 'one', S3_PREFIX_LOKI: 'same', S3_PREFIX_TEMPO: 'same/' },
      /one bucket|share/,
    ],
    [
      'nested prefixes',
      [],
      { S3_BUCKET_LOKI: 'one', S3_BUCKET_TEMPO: 'one', S3_PREFIX_LOKI: 'a', S3_PREFIX_TEMPO: 'a/b' },
      /S3_PREFIX/,
    ],
    ['a retention shorter than an index period', [], { RETENTION_LOGS: '12h' }, /RETENTION_LOGS/],
  ])('%s', { timeout: 60_000 }, async (_what, args, env, names) => {
    await using directory = await temporaryDirectory('bad-input');
    const file = join(directory.path, 'config.yml');
    await writeFile(file, good.loki);
    const refused = await bucketwright(
      ['migrate', '--to', 's3', '--loki', file, ...args, '--apply'],
      directory.path,
      env,
    );
    expect(refused.stderr).toMatch(names);
    expect([refused.code, refused.stdout]).toEqual([78, '']);
    expect(await readdir(directory.path)).toEqual(['config.yml']);
    expect(await readFile(file, 'utf8')).toBe(good.loki);
  });
});
