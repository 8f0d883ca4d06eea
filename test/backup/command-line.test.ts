/** `bucketwright backup` as a user runs it: what each command says and ends with. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutBucketLifecycleConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { clientOf, endpointSettings, passphraseText } from '../support/backup.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const bucket = bucketName('backup');
let endpoint: DisposableEndpoint;
let directory: TemporaryDirectory;
const at = (name: string) => join(directory.path, name);
const passphrase = { BUCKETWRIGHT_BACKUP_PASSPHRASE: passphraseText };

beforeAll(async () => {
  endpoint = await testEndpoint();
  directory = await temporaryDirectory('backup');
  const client = clientOf(endpoint);
  await client.createBucket(bucket);
  client.close();
  await mkdir(at('tree'));
}, 60_000);
afterAll(async () => {
  await endpoint?.[Symbol.asyncDispose]();
  await directory?.remove();
});

/** A command that must end with `code`. @returns what it said on both */
async function bucketwright(code: number, args: readonly string[], more: NodeJS.ProcessEnv = passphrase) {
  const { stdout, stderr } = await run(process.execPath, [commandLine, ...args], {
    cwd: directory.path,
    env: cleanEnvironment({ ...endpointSettings(endpoint), S3_BUCKET_BACKUP: bucket, ...more }),
    allow: [code],
  });
  return { stdout, stderr, text: stdout + stderr };
}
const backup = (code: number, args: readonly string[], more?: NodeJS.ProcessEnv) =>
  bucketwright(code, ['backup', ...args], more);

const facts = z.object({ id: z.string(), time: z.string() });
async function store(text: string) {
  await writeFile(at('tree/file'), text);
  return facts.parse(JSON.parse((await backup(0, ['run', 'tree', at('tree'), '--directory', '--json'])).stdout));
}

test('a source from its first snapshot to another key', { timeout: 240_000 }, async () => {
  expect((await backup(78, ['run', 'tree', at('tree'), '--directory'])).stderr).toContain('bucketwright backup init');
  await backup(0, ['init']);
  const first = await store('first');
  const second = await store('second');
  const third = await store('third');

  // By time, by id, the newest; and nothing that is there is written over.
  const restored = async (name: string, ...flags: string[]) => {
    await backup(0, ['restore', 'tree', at(name), ...flags]);
    return readFile(at(`${name}/file`), 'utf8');
  };
  expect(await restored('at', '--at', second.time)).toBe('second');
  expect(await restored('by-id', '--snapshot', first.id.slice(0, 8))).toBe('first');
  expect(await restored('newest')).toBe('third');
  expect((await backup(1, ['restore', 'tree', at('newest')])).stderr).toContain('is there already');
  const before = new Date(Date.parse(first.time) - 1).toISOString();
  expect((await backup(64, ['restore', 'tree', at('none'), '--at', before])).stderr).toContain('has no snapshot at or');

  const list = await backup(0, ['list', '--limit', '2']);
  expect(list.stdout.split('\n').filter(Boolean)).toEqual([
    expect.stringContaining(`tree  ${third.id}`),
    expect.stringContaining(`tree  ${second.id}`),
  ]);
  expect(list.stderr).toContain('tree: there are older ones');

  // Status and drills, within their objectives and not.
  const never = await backup(0, ['status', '--rpo', '1h']);
  expect(never.stdout).toMatch(/^ok {4}last-good .*3 snapshots$/m);
  expect(never.stdout).toMatch(/^WARN {2}drill .*never restored/m);
  expect(never.stdout).toMatch(/^ok {4}size .*objects.* a day/m);
  expect((await backup(2, ['status', '--rpo', '1ms'])).stdout).toMatch(/^FAIL {2}last-good/m);
  const priced = await backup(0, ['status'], { ...passphrase, S3_PROVIDER: 'hetzner', S3_FORCE_PATH_STYLE: 'true' });
  expect(priced.stdout).toMatch(/^ok {4}size .*EUR a month at hetzner's prices/m);
  await backup(0, ['drill', 'tree', '--rto', '1h', '--rpo', '1h']);
  expect((await backup(2, ['drill', 'tree', '--rto', '1ms'])).stdout).toMatch(/^FAIL {2}restore /m);
  const history = (await backup(0, ['drill', 'tree', '--history'])).stdout.split('\n');
  expect(history).toEqual([expect.stringContaining('  FAIL  '), expect.stringContaining('  ok    '), '']);
  expect((await backup(2, ['status', '--metrics', '--rpo', '1h'])).stdout).toContain(
    'bucketwright_backup_last_drill_success{source="tree"} 0',
  );

  expect((await backup(0, ['verify', '--read-data'])).stdout).toContain('3 of 3 read back and whole');
  const plan = await backup(2, ['prune', '--keep-last', '1']);
  expect(plan.text).toContain('nothing was removed');
  await backup(0, ['prune', '--keep-last', '1', '--apply']);
  expect((await backup(0, ['list'])).stdout.split('\n').filter(Boolean)).toHaveLength(1);

  // Another passphrase or key opens what is there, and the one before nothing any more.
  await writeFile(at('key'), execFileSync('openssl', ['rand', '-base64', '32']));
  const byKey = { BUCKETWRIGHT_BACKUP_KEY_FILE: at('key') };
  expect((await backup(64, ['passphrase'])).stderr).toContain('--new-key-file');
  expect((await backup(64, ['passphrase', '--new-key-file', at('tree/file')])).stderr).toContain('openssl rand');
  await backup(0, ['passphrase', '--new-key-file', at('key')]);
  expect((await backup(77, ['list'])).stderr).toContain('opens none of the key slots');
  expect((await backup(0, ['list'], byKey)).stdout).toContain(third.id);
  await writeFile(at('passphrase'), 'another passphrase\n');
  await backup(0, ['passphrase', '--new-file', at('passphrase')], byKey);
  await backup(77, ['list'], byKey);
  await backup(0, ['list'], { BUCKETWRIGHT_BACKUP_PASSPHRASE_FILE: at('passphrase') });
});

test('provision check tells of a rule by age where backups are', { timeout: 60_000 }, async () => {
  const { url, region, accessKeyId, secretAccessKey } = endpoint;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint: url, region, credentials, forcePathStyle: true });
  const rule = { ID: 'old', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 90 } } as const;
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules: [rule] } }),
  );
  s3.destroy();
  // Also because the buckets of logs and traces are not there.
  expect((await bucketwright(2, ['provision', 'check'])).stdout).toMatch(
    /^FAIL.*rule old deletes everything after 90 days, where backup keeps its objects: backups share/m,
  );
});
