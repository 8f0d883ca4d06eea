/** `observability migrate` as a user runs it: files on a real disk, Tempo's blocks on the real embedded server. */
import { existsSync } from 'node:fs';
import { chown, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import { parseSettings } from '../../src/settings/index.ts';
import { bytesOf, fingerprint, readTree, type Tree, writeTree } from '../support/content.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine, repository } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { type RunResult, run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let file: string;
beforeEach(async () => {
  await directory?.remove();
  directory = await temporaryDirectory('migrate');
  file = join(directory.path, 'config.yml');
});
afterAll(() => directory?.remove());

function migrate(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  // the machine may have a Tempo of its own where one usually answers
  const all = [commandLine, 'observability', 'migrate', '--tempo-url', 'http://127.0.0.1:9', ...args];
  const environment = cleanEnvironment({ NO_COLOR: '1', XDG_STATE_HOME: join(directory.path, 'state'), ...env });
  return run(process.execPath, all, { cwd: directory.path, env: environment, allow: [0, 1, 2, 64, 69, 77, 78] });
}

const committed = (path: string) => readFile(join(repository, 'observability', path), 'utf8');
const content = () => readFile(file, 'utf8');
const dayIn = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** As people write them: nothing that a YAML printer would write like this. */
const older = `# ours, since 2021
auth_enabled:   false
common: {path_prefix: /data,   replication_factor: 1, ring: {kvstore: {store: inmemory}}}
storage_config:
    filesystem: { directory: '/data/chunks' }   # the big disk
schema_config:
    configs:
    - {from: 2021-05-12, store: boltdb-shipper, object_store: filesystem, schema: v11, index: {prefix: index_, period: 24h}}
`;

describe('Loki', { timeout: 60_000 }, () => {
  test('without --apply: the exact change, exit code 2, and nothing is written', async () => {
    const before = await committed('loki/config.yml');
    await writeFile(file, before);
    const { code, stdout } = await migrate(['--to', 's3', '--loki', file]);
    expect(code).toBe(2);
    expect(await content()).toBe(before);
    expect(existsSync(`${file}.before`)).toBe(false);
    await writeFile(join(directory.path, 'the.diff'), stdout.slice(stdout.indexOf('--- ')));
    await run('patch', [file, join(directory.path, 'the.diff')]);
    const patched = await content();
    await writeFile(file, before);
    expect((await migrate(['--to', 's3', '--loki', file, '--apply'])).code).toBe(0);
    expect(await content()).toBe(patched);
    expect(patched).toContain(`    - from: "${dayIn(2)}"\n      store: tsdb\n      object_store: s3\n`);
  });

  test.each([
    ['the committed file', () => committed('loki/config.yml')],
    ['a file of 2021 in its own style', async () => older],
  ])('%s: applied twice changes nothing, taken back it is byte for byte what it was', async (_name, text) => {
    const before = await text();
    await writeFile(file, before);
    expect((await migrate(['--to', 's3', '--loki', file, '--apply'])).code).toBe(0);
    const applied = await content();
    expect(applied).not.toBe(before);
    const again = await migrate(['--to', 's3', '--loki', file, '--apply']);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
    expect(await content()).toBe(applied);
    expect((await migrate(['--to', 'filesystem', '--loki', file, '--apply'])).code).toBe(0);
    expect(await content()).toBe(before);
  });

  test('a file that was changed since is not replaced by an older one', async () => {
    await writeFile(file, older);
    await migrate(['--to', 's3', '--loki', file, '--apply']);
    await writeFile(file, `${await content()}# and one more comment\n`);
    expect((await migrate(['--to', 'filesystem', '--loki', file, '--apply'])).code).toBe(0);
    const back = await content();
    expect(back).toContain('# and one more comment');
    expect(back).not.toContain('object_store: s3');
  });

  const s3 = `use_thanos_objstore: true\n  object_store:\n    s3: { endpoint: x, region: y, bucket_name: cloudlysis-loki }`;
  const period = `schema_config:\n  configs:\n    - { from: 2024-01-01, store: tsdb, object_store: s3, schema: v13, index: { prefix: index_, period: 24h } }\n`;
  test.each([
    ['no YAML', 'server: [\n', [], /no YAML/],
    ['tabs', 'server:\n\thttp_listen_port: 3100\n', [], /tab/i],
    ['an unknown key', `${older}ingestor: {}\n`, [], /ingestor: no key of Loki/],
    ['a removed option', `${older}ingester: { max_transfer_retries: 0 }\n`, [], /max_transfer_retries/],
    ['a prefix with a slash', `storage_config:\n  ${s3}\n    storage_prefix: /logs\n${period}`, [], /"\/logs"/],
    [
      'retention shorter than a period',
      `${older}compactor: { retention_enabled: true, delete_request_store: filesystem }\nlimits_config: { retention_period: 12h }\n`,
      [],
      /shorter than an index period/,
    ],
    ['a day in the past', older, ['--from', '2024-02-29'], /2024-02-29 is not in the future/],
    ['today', older, ['--from', dayIn(0)], /is not in the future/],
    ['no day', older, ['--from', '2026-02-30'], /is no day/],
  ])('%s: one clear message, nothing written', async (_name, text, args, message) => {
    await writeFile(file, text);
    const to = text.includes('/logs') ? 'filesystem' : 's3';
    const { code, stdout, stderr } = await migrate(['--to', to, '--loki', file, '--apply', ...args]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(message);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('(') && !line.includes('Warning')),
    ).toHaveLength(1);
    expect(await content()).toBe(text);
    expect(existsSync(`${file}.before`)).toBe(false);
  });

  test('a shared bucket without distinct prefixes is refused with the settings', async () => {
    await writeFile(file, older);
    const env = { S3_BUCKET_LOKI: 'one', S3_BUCKET_TEMPO: 'one-for-all', S3_PREFIX_LOKI: 'a', S3_PREFIX_TEMPO: 'a/b' };
    const { code, stderr } = await migrate(['--to', 's3', '--loki', file, '--apply'], {
      ...env,
      S3_BUCKET_LOKI: 'one-for-all',
    });
    expect(code).toBe(78);
    expect(stderr).toContain('S3_PREFIX_TEMPO');
    expect(await content()).toBe(older);
  });

  test('options of Tempo, and files that are not there, are a wrong use', async () => {
    await writeFile(file, older);
    for (const args of [
      ['--loki', file, '--prune'],
      ['--loki', file, '--blocks', '.'],
      ['--loki', file, '--tempo', file],
      ['--loki', join(directory.path, 'nowhere.yml')],
      [],
    ]) {
      expect((await migrate(['--to', 's3', ...args])).code).toBe(64);
    }
  });
});

const answer = z.object({
  applied: z.boolean(),
  running: z.boolean(),
  blocks: z.object({
    source: z.number(),
    others: z.array(z.string()),
    remove: z.array(z.string()),
    report: z.object({
      complete: z.boolean(),
      copied: z.object({ objects: z.number() }),
      verified: z.object({ objects: z.number() }),
    }),
  }),
});

describe('Tempo', { timeout: 60_000 }, () => {
  let server: TestServer;
  let env: Record<string, string>;
  let client: ObjectClient;
  const bucket = 'traces-of-all';
  const block = (n: number) => `single-tenant/00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const blocks: Tree = Object.fromEntries([
    ...[1, 2, 3].flatMap((n) => [
      [`${block(n)}/meta.json`, bytesOf(`meta ${n}`, 400)],
      [`${block(n)}/data.parquet`, bytesOf(`data ${n}`, n === 3 ? 17_000_000 : 60_000)],
      [`${block(n)}/bloom-0`, bytesOf(`bloom ${n}`, 1_000)],
    ]),
    ['single-tenant/index.json.gz', bytesOf('index', 300)],
  ]);
  let disk: string;

  beforeAll(async () => {
    server = await startServer();
    env = {
      S3_ENDPOINT: server.url,
      S3_INSECURE: 'true',
      S3_REGION: server.region,
      S3_ACCESS_KEY_ID: server.accessKeyId,
      S3_SECRET_ACCESS_KEY: server.secretAccessKey,
      S3_BUCKET_TEMPO: bucket,
      S3_PREFIX_TEMPO: 'prod/traces',
    };
    const { storage } = parseSettings({ environment: env });
    if (storage.kind !== 's3') throw new TypeError('no S3');
    client = createClient(resolveConnection(storage));
    await client.createBucket(bucket);
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    for (const key of await keys()) await client.deleteMany({ bucket, keys: [key] });
    disk = join(directory.path, 'var', 'blocks');
    await writeTree(disk, blocks);
    await writeFile(file, (await committed('tempo/config.yml')).replace('/var/tempo/blocks', disk));
  });

  async function keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of client.list({ bucket, prefix: '' })) if (entry.kind === 'object') found.push(entry.key);
    return found;
  }

  async function applied(args: readonly string[], code = 0) {
    const result = await migrate([...args, '--tempo', file, '--apply', '--json'], env);
    expect(result.code, result.stderr).toBe(code);
    return answer.parse(JSON.parse(result.stdout));
  }

  test('there and back: blocks and settings are byte for byte what they were', { timeout: 60_000 }, async () => {
    const before = await content();
    const plan = await migrate(['--to', 's3', '--tempo', file], env);
    expect(plan).toMatchObject({ code: 2, stdout: expect.stringContaining('3 at the source; 10 of their objects') });
    expect(await keys()).toEqual([]);

    const there = await applied(['--to', 's3']);
    expect(there).toMatchObject({
      applied: true,
      blocks: { report: { copied: { objects: 10 }, verified: { objects: 10 } } },
    });
    expect(await content()).toContain('    backend: s3\n');
    expect((await keys()).every((key) => key.startsWith('prod/traces/single-tenant/'))).toBe(true);
    const again = await migrate(['--to', 's3', '--tempo', file, '--apply'], env);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });

    await rm(disk, { recursive: true });
    expect((await applied(['--to', 'filesystem'])).applied).toBe(true);
    expect(await content()).toBe(before);
    expect(fingerprint(await readTree(disk))).toEqual(fingerprint(blocks));
  });

  test('while Tempo runs: copied, not switched; then only what is new is copied', { timeout: 60_000 }, async () => {
    const before = await content();
    const [port = 0] = await freePorts(1);
    const running = createServer((_request, response) => response.writeHead(503).end('starting'));
    await new Promise<void>((resolve) => running.listen(port, '127.0.0.1', resolve));
    const first = await applied(['--to', 's3', '--tempo-url', `http://127.0.0.1:${port}`], 2);
    await new Promise((resolve) => running.close(resolve));
    expect(first).toMatchObject({ applied: false, running: true, blocks: { report: { copied: { objects: 10 } } } });
    expect(await content()).toBe(before);
    await writeTree(disk, { [`${block(4)}/meta.json`]: bytesOf('new', 10), [`${block(4)}/bloom-0`]: bytesOf('n', 9) });
    const second = await applied(['--to', 's3']);
    expect(second).toMatchObject({ applied: true, running: false, blocks: { report: { copied: { objects: 2 } } } });
  });

  test('the file names S3 as Tempo does, the copying as it is called from here', async () => {
    const elsewhere = { ...env, S3_ENDPOINT: 'http://minio:9000' };
    const args = ['--to', 's3', '--tempo', file, '--apply', '--endpoint-here', server.url];
    expect(await migrate(args, elsewhere)).toMatchObject({ code: 0 });
    expect(await content()).toContain('endpoint: minio:9000\n');
    expect(await keys()).toHaveLength(10);
  });

  test('back over an older copy: a compacted block does not come back, others are named and stay', async () => {
    await applied(['--to', 's3']);
    // Tempo compacts the first block in S3, and retention removes the second
    const at = (name: string) => `prod/traces/${name}`;
    await client.put({ bucket, key: at(`${block(1)}/meta.compacted.json`), body: { bytes: bytesOf('meta 1', 400) } });
    const gone = Object.keys(blocks).filter((key) => key.startsWith(block(2)));
    await client.deleteMany({ bucket, keys: [`${block(1)}/meta.json`, ...gone].map(at) });

    const back = await applied(['--to', 'filesystem']);
    expect(back.blocks.others).toEqual([`${block(2)}/`]);
    expect(back.blocks.remove).toEqual([`${block(1)}/meta.json`]);
    expect(existsSync(join(disk, block(1), 'meta.json'))).toBe(false);
    expect(existsSync(join(disk, block(1), 'meta.compacted.json'))).toBe(true);
    expect(existsSync(join(disk, block(2), 'meta.json'))).toBe(true);

    await writeFile(file, await readFile(`${file}.before`, 'utf8'));
    expect((await applied(['--to', 'filesystem', '--prune'])).blocks.others).toEqual([`${block(2)}/`]);
    expect(existsSync(join(disk, block(2)))).toBe(false);
  });

  const root = process.getuid?.() === 0;
  skipUnless(root, 'only root can give files away')('as root', () => {
    test('what comes back to the volume belongs to its owner, as whom Tempo runs', async () => {
      await applied(['--to', 's3']);
      await rm(disk, { recursive: true });
      await chown(dirname(disk), 10001, 10001);
      await applied(['--to', 'filesystem']);
      for (const path of [disk, join(disk, block(1)), join(disk, block(1), 'meta.json')]) {
        expect(await stat(path)).toMatchObject({ uid: 10001, gid: 10001 });
      }
    });
  });

  test('blocks that cannot be copied: the file is not switched, and a second run goes on', async () => {
    const before = await content();
    const missing = await migrate(['--to', 's3', '--tempo', file, '--apply'], { ...env, S3_BUCKET_TEMPO: 'not-there' });
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('not-there') });
    // no file, so neither copied nor passed over in silence; and its block must not become visible without it
    const odd = join(disk, block(2), 'bloom-0');
    await rm(odd);
    await symlink('data.parquet', odd);
    const first = await migrate(['--to', 's3', '--tempo', file, '--apply'], env);
    expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('not all blocks are there') });
    expect(await content()).toBe(before);
    expect(await keys()).not.toContain(`prod/traces/${block(2)}/meta.json`);
    await rm(odd);
    await writeTree(disk, { [`${block(2)}/bloom-0`]: bytesOf('bloom 2', 1_000) });
    const second = await applied(['--to', 's3']);
    expect(second).toMatchObject({ applied: true, blocks: { report: { copied: { objects: 2 } } } });
    expect(await keys()).toHaveLength(10);
  });

  test('the wrong directory is named, and nothing is written', async () => {
    const before = await content();
    for (const args of [
      ['--to', 's3', '--blocks', join(directory.path, 'nowhere')],
      ['--to', 's3', '--blocks', directory.path],
    ]) {
      const { code, stderr } = await migrate([...args, '--tempo', file, '--apply'], env);
      expect(code).toBe(64);
      expect(stderr).toContain('--blocks DIR');
    }
    expect(await content()).toBe(before);
    const plan = await migrate(['--to', 's3', '--tempo', file, '--blocks', join(directory.path, 'nowhere')], env);
    expect(plan).toMatchObject({ code: 2, stderr: expect.stringContaining('not compared') });
    expect((await migrate(['--to', 's3', '--tempo', file, '--apply', '--no-copy'], env)).code).toBe(0);
    expect(await content()).toContain('backend: s3');
  });
});
