import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { bytesOf, fingerprint, md5, oddTree, readTree, type Tree, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const MiB = 1024 * 1024;
const amount = z.object({ objects: z.number(), bytes: z.number() });
const reportSchema = z.object({
  complete: z.boolean(),
  copied: amount,
  skipped: amount,
  verified: amount,
  readChecked: z.number(),
  storedChecked: z.number(),
  headersDropped: z.number(),
  cleanedUp: z.number(),
  deleted: amount,
  extra: z.array(z.string()),
  problems: z.array(z.object({ key: z.string(), kind: z.string(), reason: z.string() })),
});

const kinds = [
  { name: 'the embedded server', missing: undefined, start: testEndpoint },
  { name: 'a real Ceph RADOS Gateway', missing: rgwMissing(), start: startRgw },
];

let ours: DisposableEndpoint;
let scratch: TemporaryDirectory;
beforeAll(async () => {
  ours = await testEndpoint();
  scratch = await temporaryDirectory('transfer');
}, 60_000);
afterAll(async () => {
  await ours?.[Symbol.asyncDispose]();
  await scratch?.remove();
}, 60_000);

const sdkOf = (endpoint: DisposableEndpoint) =>
  new S3Client({
    endpoint: endpoint.url,
    region: endpoint.region,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey },
  });

async function bucketOf(endpoint: DisposableEndpoint, tree: Tree = {}): Promise<string> {
  const bucket = bucketName('transfer');
  const sdk = sdkOf(endpoint);
  await sdk.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const [Key, Body] of Object.entries(tree)) await sdk.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  return bucket;
}

async function treeOf(endpoint: DisposableEndpoint, bucket: string, prefix = ''): Promise<Tree> {
  const sdk = sdkOf(endpoint);
  const tree: Record<string, Uint8Array> = {};
  const { Contents = [] } = await sdk.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  for (const { Key = '' } of Contents) {
    const { Body } = await sdk.send(new GetObjectCommand({ Bucket: bucket, Key }));
    tree[Key.slice(prefix.length)] = (await Body?.transformToByteArray()) ?? new Uint8Array();
  }
  return tree;
}

async function keysOf(bucket: string): Promise<string[]> {
  const { Contents = [] } = await sdkOf(ours).send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

/** Keys of the settings for both sides: ours without a name, another as s3+other://. */
function environment(other?: DisposableEndpoint): NodeJS.ProcessEnv {
  const of = (endpoint: DisposableEndpoint, scope: string, provider: string) => ({
    [`${scope}S3_ENDPOINT`]: endpoint.url,
    [`${scope}S3_INSECURE`]: 'true',
    [`${scope}S3_PROVIDER`]: provider,
    [`${scope}S3_ACCESS_KEY_ID`]: endpoint.accessKeyId,
    [`${scope}S3_SECRET_ACCESS_KEY`]: endpoint.secretAccessKey,
  });
  return cleanEnvironment({
    XDG_STATE_HOME: join(scratch.path, 'state'),
    ...of(ours, '', 'embedded'),
    ...(other === undefined ? {} : of(other, 'OTHER_', other === ours ? 'embedded' : 'ceph')),
  });
}

async function transfer(args: readonly string[], allow: readonly number[] = [0], other?: DisposableEndpoint) {
  const options = { cwd: scratch.path, env: environment(other), allow };
  const result = await run(process.execPath, [commandLine, 'transfer', '--json', ...args], options);
  expect(result.stderr).not.toContain('Warning');
  const json: unknown = result.stdout === '' ? undefined : JSON.parse(result.stdout);
  return { ...result, report: reportSchema.safeParse(json).data };
}

const directory = (name: string) => join(scratch.path, name);

for (const { name, missing, start } of kinds) {
  skipUnless(missing === undefined, missing ?? '')(`bucket to directory to bucket, on ${name}`, () => {
    let other: DisposableEndpoint;
    beforeAll(async () => {
      other = await start();
    }, 180_000);
    afterAll(() => other?.[Symbol.asyncDispose](), 90_000);

    test('there and back, with odd names, nothing and 20 MiB: the same bytes', { timeout: 120_000 }, async () => {
      const tree = { ...oddTree(), 'large/20 MiB': bytesOf('large', 20 * MiB) };
      const bucket = await bucketOf(other, tree);
      const back = await bucketOf(ours);
      const folder = directory(`there-${bucket}`);
      const count = Object.keys(tree).length;

      const down = await transfer([`s3+other://${bucket}`, folder, '--verify'], [0], other);
      expect(down.report).toMatchObject({ complete: true, copied: { objects: count }, readChecked: count });
      expect(down.report?.verified.objects).toBe(count);
      expect(fingerprint(await readTree(folder))).toEqual(fingerprint(tree));

      const up = await transfer([folder, `s3://${back}/some/prefix`, '--verify'], [0], other);
      expect(up.report).toMatchObject({ complete: true, copied: { objects: count }, storedChecked: count });
      expect(fingerprint(await treeOf(ours, back, 'some/prefix/'))).toEqual(fingerprint(tree));

      // One to the other directly, and again: nothing is left to do, whatever the parts' sizes were.
      const third = await bucketOf(other);
      const across = await transfer([`s3://${back}/some/prefix/`, `s3+other://${third}`, '--verify'], [0], other);
      expect(across.report).toMatchObject({ complete: true, readChecked: count, storedChecked: count });
      expect(fingerprint(await treeOf(other, third))).toEqual(fingerprint(tree));
      const again = await transfer([`s3://${back}/some/prefix/`, `s3+other://${third}`], [0], other);
      expect(again.report).toMatchObject({ complete: true, copied: { objects: 0 }, skipped: { objects: count } });
      const fresh = await transfer(
        [folder, `s3+other://${third}`, '--state', directory(`no-memory-${third}`)],
        [0],
        other,
      );
      expect(fresh.report).toMatchObject({ copied: { objects: 0 }, skipped: { objects: count } });
    });

    test('content type, headers, metadata and tags are kept', { timeout: 60_000 }, async () => {
      const [from, to] = [await bucketOf(other), await bucketOf(ours)];
      const headers = {
        ContentType: 'text/css',
        CacheControl: 'max-age=60',
        ContentDisposition: 'attachment; filename="a.css"',
        ContentLanguage: 'de',
        ContentEncoding: 'gzip',
        Metadata: { colour: 'blue and green' },
      };
      const put = { Bucket: from, Body: bytesOf('css', 999), ...headers, Tagging: 'team=logs%20%2B%20traces&tier=hot' };
      await sdkOf(other).send(new PutObjectCommand({ ...put, Key: 'a.css' }));
      await sdkOf(other).send(new PutObjectCommand({ ...put, Key: 'b.css', Body: bytesOf('big', 17 * MiB) }));
      expect((await transfer([`s3+other://${from}`, `s3://${to}`], [0], other)).report?.complete).toBe(true);
      for (const Key of ['a.css', 'b.css']) {
        const found = await sdkOf(ours).send(new HeadObjectCommand({ Bucket: to, Key }));
        expect(found).toMatchObject(headers);
        const { TagSet } = await sdkOf(ours).send(new GetObjectTaggingCommand({ Bucket: to, Key }));
        expect(TagSet).toEqual([
          { Key: 'team', Value: 'logs + traces' },
          { Key: 'tier', Value: 'hot' },
        ]);
      }
    });
  });
}

test('keys that are no file names stop it before anything is written', { timeout: 60_000 }, async () => {
  const tree = { '../x': 'x', a: '1', 'a/b': '2', 'c//d': '3', 'e/': '', fine: '4', [`${'n'.repeat(256)}`]: '5' };
  const bytes = Object.fromEntries(Object.entries(tree).map(([key, text]) => [key, Buffer.from(text)]));
  const bucket = await bucketOf(ours, bytes);
  const folder = directory('unnameable');
  const { stderr } = await transfer([`s3://${bucket}`, folder], [1]);
  for (const key of ['../x', 'a/b', 'c//d', 'e/', 'nnnn']) expect(stderr).toContain(key);
  await expect(stat(folder)).rejects.toThrow();
  await expect(stat(directory('x'))).rejects.toThrow();
  // Another bucket takes them all.
  const other = await bucketOf(ours);
  expect((await transfer([`s3://${bucket}`, `s3://${other}`])).report?.copied.objects).toBe(7);
  expect(fingerprint(await treeOf(ours, other))).toEqual(fingerprint(bytes));
});

test('links are neither followed out of the destination nor copied from the source', { timeout: 60_000 }, async () => {
  const bucket = await bucketOf(ours, { 'sub/file': Buffer.from('content') });
  const [folder, elsewhere] = [directory('linked'), directory('elsewhere')];
  await mkdir(folder);
  await mkdir(elsewhere);
  await symlink(elsewhere, join(folder, 'sub'));
  const out = await transfer([`s3://${bucket}`, folder], [1]);
  expect(out.report?.problems).toMatchObject([{ key: 'sub/file', kind: 'failed' }]);
  expect(readdirSync(elsewhere)).toEqual([]);

  await writeFile(join(elsewhere, 'secret'), 'not to be copied');
  const target = await bucketOf(ours);
  const back = await transfer([folder, `s3://${target}`], [1]);
  expect(back.report?.problems).toMatchObject([{ key: 'sub', kind: 'refused' }]);
  expect(Object.keys(await treeOf(ours, target))).toEqual([]);
});

test('an altered object is found by --verify and --verify-only, and put right by a rerun', {
  timeout: 60_000,
}, async () => {
  const tree = { one: bytesOf('one', 5_000), two: bytesOf('two', 5_000) };
  const bucket = await bucketOf(ours, tree);
  const folder = directory('altered');
  await transfer([`s3://${bucket}`, folder]);
  // As a failing disk would: other bytes, the same size, time and inode.
  const file = join(folder, 'one');
  const { mtime, atime } = await stat(file);
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('!!'), 0, 2, 100);
  await handle.close();
  await utimes(file, atime, mtime);
  const quiet = await transfer([`s3://${bucket}`, folder, '--verify-only'], [2]);
  expect(quiet.report).toMatchObject({ verified: { objects: 1 }, problems: [{ key: 'one', kind: 'differs' }] });
  const found = await transfer([`s3://${bucket}`, folder, '--verify'], [1]);
  expect(found.report?.problems).toMatchObject([{ key: 'one', kind: 'differs' }]);
  await rm(file);
  expect((await transfer([`s3://${bucket}`, folder, '--verify'])).report?.copied.objects).toBe(1);
  expect(fingerprint(await readTree(folder))).toEqual(fingerprint(tree));
});

test('what nobody else has stays, unless --delete; a dry run does nothing', { timeout: 60_000 }, async () => {
  const bucket = await bucketOf(ours, { a: Buffer.from('new'), b: Buffer.from('same') });
  const target = await bucketOf(ours, { a: Buffer.from('old'), b: Buffer.from('same'), z: Buffer.from('only there') });
  const before = fingerprint(await treeOf(ours, target));
  const { stdout } = await transfer([`s3://${bucket}`, `s3://${target}`, '--dry-run', '--delete'], [2]);
  expect(JSON.parse(stdout)).toMatchObject({ mode: 'dry-run', extra: ['z'], actions: [{ key: 'a' }, { key: 'b' }] });
  expect(fingerprint(await treeOf(ours, target))).toEqual(before);
  expect((await transfer([`s3://${bucket}`, `s3://${target}`])).report).toMatchObject({ extra: ['z'] });
  expect(Object.keys(await treeOf(ours, target))).toEqual(['a', 'b', 'z']);
  const removed = await transfer([`s3://${bucket}`, `s3://${target}`, '--delete']);
  expect(removed.report).toMatchObject({ complete: true, deleted: { objects: 1 } });
  expect(Object.keys(await treeOf(ours, target))).toEqual(['a', 'b']);
});

test('wrong keys are told as such, and no secret is shown', { timeout: 60_000 }, async () => {
  const bucket = await bucketOf(ours);
  const env = { ...environment(ours), OTHER_S3_SECRET_ACCESS_KEY: 'wrong-secret-never-shown' };
  const line = [commandLine, 'transfer', directory('.'), `s3+other://${bucket}`];
  const denied = await run(process.execPath, line, { env, cwd: scratch.path, allow: [77] });
  expect(denied.stdout + denied.stderr).not.toContain('wrong-secret-never-shown');
  const half = { ...env, OTHER_S3_SECRET_ACCESS_KEY: '' };
  const missing = await run(process.execPath, line, { env: half, cwd: scratch.path, allow: [78] });
  expect(missing.stderr).toContain('OTHER_S3_SECRET_ACCESS_KEY');
  await transfer([directory('not-there'), `s3://${bucket}`], [1]);
  await transfer([`s3://${bucket}/a`, `s3://${bucket}`], [64]);
  await transfer([directory('.'), `s3://${bucketName('missing')}`], [1]);
});

test('what may not be read is named, and the rest is copied', { timeout: 60_000 }, async () => {
  const folder = directory('unreadable');
  await writeTree(folder, { closed: Buffer.from('for others'), open: Buffer.from('for all') });
  await chmod(join(folder, 'closed'), 0o000);
  await chmod(folder, 0o755);
  await chmod(scratch.path, 0o755);
  const home = await temporaryDirectory('transfer-home');
  await chmod(home.path, 0o777);
  const target = await bucketOf(ours);
  // Root may read everything, so there it is nobody who tries.
  const nobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const [command = '', ...args] = [...nobody, process.execPath, commandLine, 'transfer', '--json'];
  const state = join(home.path, 'state');
  const line = [...args, '--state', state, folder, `s3://${target}`];
  const { stdout } = await run(command, line, { env: environment(), cwd: scratch.path, allow: [1] });
  await home.remove();
  const report = reportSchema.parse(JSON.parse(stdout));
  expect(report).toMatchObject({
    complete: false,
    copied: { objects: 1 },
    problems: [{ key: 'closed', kind: 'failed' }],
  });
  expect(Object.keys(await treeOf(ours, target))).toEqual(['open']);
});

test('Ctrl-C lets what is under way end, and a rerun goes on', { timeout: 60_000 }, async () => {
  const folder = directory('interrupted');
  const tree: Record<string, Uint8Array> = {};
  for (let number = 0; number < 400; number += 1) tree[`n/${number}`] = bytesOf(`i${number}`, 100_000);
  await writeTree(folder, tree);
  const target = await bucketOf(ours);
  const args = [commandLine, 'transfer', '--json', '--concurrency', '2', folder, `s3://${target}`];
  const child = spawn(process.execPath, args, {
    cwd: scratch.path,
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const closed = once(child, 'close');
  const deadline = Date.now() + 30_000;
  while ((await keysOf(target)).length === 0 && Date.now() < deadline) await sleep(5);
  child.kill('SIGINT');
  await closed;
  expect(child.exitCode).toBe(1);
  const report = reportSchema.extend({ stopped: z.boolean(), notTried: amount }).parse(JSON.parse(text));
  expect(report).toMatchObject({ stopped: true, complete: false, problems: [] });
  expect(report.notTried.objects).toBeGreaterThan(0);
  // What the report counts is what is there: nothing half-way, nothing more.
  expect(await keysOf(target)).toHaveLength(report.copied.objects);
  expect(report.copied.objects + report.notTried.objects).toBe(400);
  const rerun = await transfer([folder, `s3://${target}`]);
  expect(rerun.report).toMatchObject({ complete: true, skipped: { objects: report.copied.objects } });
});

test('kill -9 in the middle: a rerun finishes and cleans up', { timeout: 120_000 }, async () => {
  const folder = directory('killed');
  const tree: Record<string, Uint8Array> = {};
  for (let number = 0; number < 40; number += 1) tree[`n/${number}`] = bytesOf(`n${number}`, 200_000);
  for (let number = 0; number < 3; number += 1) tree[`big/${number}`] = bytesOf(`big${number}`, 40 * MiB);
  await writeTree(folder, tree);
  const target = await bucketOf(ours);
  const args = [commandLine, 'transfer', '--json', '--concurrency', '2', folder, `s3://${target}`];
  const sdk = sdkOf(ours);
  const uploads = async () =>
    (await sdk.send(new ListMultipartUploadsCommand({ Bucket: target }))).Uploads?.length ?? 0;
  const child = spawn(process.execPath, args, { cwd: scratch.path, env: environment(), stdio: 'ignore' });
  const exited = once(child, 'exit');
  const deadline = Date.now() + 30_000;
  while ((await uploads()) === 0 && child.exitCode === null && Date.now() < deadline) await sleep(5);
  child.kill('SIGKILL');
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  expect(await uploads()).toBeGreaterThan(0);
  const rerun = await transfer([folder, `s3://${target}`, '--verify']);
  expect(rerun.report).toMatchObject({ complete: true, verified: { objects: 43 } });
  expect(rerun.report?.cleanedUp).toBeGreaterThan(0);
  expect(await uploads()).toBe(0);
  expect(fingerprint(await treeOf(ours, target))).toEqual(fingerprint(tree));
});

test('an object that vanishes is told; what comes last is held back beside it', { timeout: 60_000 }, async () => {
  // The library, since the object must go between the listing and its turn.
  const { bucketPlace, directoryPlace, planTransfer, runTransfer } = await import('../../src/transfer/index.ts');
  const { createClient } = await import('../../src/client/index.ts');
  const { providerNamed } = await import('../../src/providers/index.ts');
  const { parseEndpoint } = await import('../../src/settings/index.ts');
  const { Secret } = await import('../../src/core/secret.ts');
  const [endpoint, provider] = [parseEndpoint(ours.url), providerNamed('embedded')];
  if (!endpoint.ok || provider === undefined) throw new Error(ours.url);
  const names = ['one/data', 'one/index', 'one/meta.json', 'two/data', 'two/meta.json'];
  const bucket = await bucketOf(ours, Object.fromEntries(names.map((name) => [name, Buffer.from(name)])));
  const client = createClient({
    endpoint: endpoint.value,
    credentials: { accessKeyId: new Secret(ours.accessKeyId), secretAccessKey: new Secret(ours.secretAccessKey) },
    region: ours.region,
    forcePathStyle: true,
    checksums: provider.checksums,
    provider,
  });
  const source = bucketPlace({ client, endpoint: ours.url, bucket, prefix: '', tags: true });
  const destination = directoryPlace(directory('vanished'));
  await destination.check('destination');
  const plan = await planTransfer(source.list(), destination.list(), {
    refusal: destination.refusals(),
    settled: () => false,
  });
  await sdkOf(ours).send(new DeleteObjectCommand({ Bucket: bucket, Key: 'one/index' }));
  await sdkOf(ours).send(new PutObjectCommand({ Bucket: bucket, Key: 'two/data', Body: 'newer than the listing' }));
  const last = (key: string) => key.endsWith('meta.json');
  const { report } = await runTransfer(plan, { source, destination, last });
  await source.close();
  expect(report.complete).toBe(false);
  expect(report.problems).toMatchObject([
    { key: 'one/index', kind: 'vanished' },
    { key: 'one/meta.json', kind: 'held-back' },
  ]);
  expect(report.newer).toEqual(['two/data']);
  expect(await readFile(directory('vanished/two/data'), 'utf8')).toBe('newer than the listing');
  expect(Object.keys(await readTree(directory('vanished'))).sort()).toEqual(['one/data', 'two/data', 'two/meta.json']);
  expect(md5(await readFile(directory('vanished/two/meta.json')))).toBe(md5(Buffer.from('two/meta.json')));
});
