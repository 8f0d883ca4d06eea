import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBucketClient, createClient } from '../../src/client/index.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { runOnTerminal, terminalMissing } from '../support/terminal.ts';
import { fullManifest } from './manifest.ts';
import { connectionTo, onEach } from './targets.ts';

onEach('bucketwright provision', (target) => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  beforeAll(async () => {
    endpoint = await target.start();
    directory = await temporaryDirectory('provision');
  }, 180_000);
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const environment = () =>
    cleanEnvironment({
      S3_ENDPOINT: endpoint.url,
      S3_INSECURE: 'true',
      S3_PROVIDER: target.name,
      S3_REGION: endpoint.region,
      S3_ACCESS_KEY_ID: endpoint.accessKeyId,
      S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
    });

  async function provision(...args: string[]) {
    const { code, stdout, stderr } = await run(process.execPath, [commandLine, 'provision', ...args], {
      cwd: directory.path,
      env: environment(),
      allow: [0, 1, 2, 64, 69, 77, 78],
    });
    expect(stdout + stderr).not.toContain(endpoint.secretAccessKey);
    return { code, stdout, stderr };
  }

  const manifest = (text: string) => writeFile(join(directory.path, 'bucketwright.yaml'), text);

  test('plan, apply, check, plan: 2, 0, 0, 0', async () => {
    const bucket = bucketName('cli');
    await manifest(fullManifest(bucket, connectionTo(endpoint, target.name)));
    const plan = await provision('plan');
    expect(plan).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/Plan: 3 to create, 0 to change, 0 to destroy\.\n$/),
    });
    expect(plan.stdout).toContain(`  + bucket "${bucket}"`);
    // Nobody can be asked here.
    expect(await provision('apply')).toMatchObject({ code: 64, stderr: expect.stringContaining('--yes') });
    expect(await provision('apply', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Applied: \d+ steps\.\n$/),
    });
    expect(await provision('check')).toMatchObject({ code: 0 });
    expect(await provision('plan')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^No changes\./m) });
    const json: unknown = JSON.parse((await provision('plan', '--json')).stdout);
    expect(json).toMatchObject({ changes: false, provider: target.name, problems: [] });
    // As before: alone it makes buckets and changes nothing.
    expect(await provision()).toMatchObject({ code: 0, stdout: expect.stringContaining(`exists   ${bucket}`) });
  }, 120_000);

  test('a saved plan is applied without a question, and refused once it was edited', async () => {
    const bucket = bucketName('cli');
    await manifest(`loki: { bucket: ${bucket} }\ntempo: { bucket: ${bucket} }\n`);
    expect(await provision('plan', '--out', 'the.plan')).toMatchObject({ code: 2 });
    const file = join(directory.path, 'the.plan');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(`"name": "${bucket}"`, `"name": "${bucket}x"`));
    expect(await provision('apply', 'the.plan')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('was edited'),
    });
    await writeFile(file, text);
    expect(await provision('apply', 'the.plan')).toMatchObject({ code: 0 });
    expect(await provision('apply', 'the.plan')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No changes.'),
    });
  }, 120_000);

  test('problems with the manifest end with 78 and are all there, before anything is asked', async () => {
    await manifest(
      'buckets:\n  - { name: acme-a, versionning: enabled }\n  - { name: Acme }\ntempo: { bucket: a_b }\n',
    );
    const { code, stderr } = await provision('plan');
    expect(code).toBe(78);
    expect(stderr).toContain('3 problems');
    expect(stderr).toContain('bucketwright.yaml:2:34');
    await manifest('{}');
  }, 120_000);

  test('import writes what plan then finds unchanged, and overwrites nothing', async () => {
    const bucket = bucketName('cli');
    await manifest(`loki: { bucket: ${bucket} }\ntempo: { bucket: ${bucket} }\nbuckets: [${bucket}-more]\n`);
    await provision('apply', '--yes');
    expect(await provision('import', `${bucket}-more`, '--out', 'found.yaml')).toMatchObject({ code: 0 });
    expect(await readFile(join(directory.path, 'found.yaml'), 'utf8')).toBe(`buckets:\n  - ${bucket}-more\n`);
    expect(await provision('import', bucket, '--out', 'found.yaml')).toMatchObject({ code: 64 });
    expect(await provision('import', bucketName('absent'))).toMatchObject({ code: 1 });
  }, 120_000);

  test('destroy wants the name, and for objects the name twice', async () => {
    await manifest('{}');
    const connection = connectionTo(endpoint, target.name);
    const [buckets, objects] = [createBucketClient(connection), createClient(connection)];
    const bucket = bucketName('doomed');
    await buckets.create(bucket);
    if (buckets.supports('versioning') !== 'no') await buckets.write(bucket, 'versioning', 'enabled');
    await objects.put({ bucket, key: 'a', body: { bytes: '1' } });
    await objects.put({ bucket, key: 'a', body: { bytes: '2' } });
    await objects.delete({ bucket, key: 'a' });
    await objects.put({ bucket, key: 'b/c', body: { bytes: '3' } });
    await objects.createUpload({ bucket, key: 'unfinished' });

    expect(await provision('destroy', bucket)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--delete-objects'),
    });
    expect(await provision('destroy', bucket, '--delete-objects')).toMatchObject({ code: 64 });
    expect(await provision('destroy', bucket, '--delete-objects', '--confirm', bucket)).toMatchObject({ code: 64 });
    const wrong = await provision(
      'destroy',
      bucket,
      '--delete-objects',
      '--confirm',
      bucket,
      '--confirm-objects',
      'other',
    );
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was deleted') });
    expect((await objects.head({ bucket, key: 'b/c' })).size).toBe(1);
    const twice = await provision(
      'destroy',
      bucket,
      '--delete-objects',
      '--confirm',
      bucket,
      '--confirm-objects',
      bucket,
    );
    expect(twice).toMatchObject({ code: 0, stdout: `destroyed  ${bucket}\n` });
    expect(await buckets.list()).not.toContain(bucket);
    expect(await provision('destroy', bucket, '--confirm', bucket)).toMatchObject({ code: 1 });
    // A plan never destroys: what is no longer named is left alone.
    const left = bucketName('left');
    await buckets.create(left);
    expect((await provision('plan')).stdout).toContain(left);
    await provision('apply', '--yes');
    expect(await buckets.list()).toContain(left);
    buckets.close();
    objects.close();
  }, 120_000);

  test('an environment is laid over; what was changed by hand is told by check, shown by plan and put right', async () => {
    const bucket = bucketName('cli');
    await manifest(`loki: { bucket: '${bucket}-\${environment}' }
tempo: { bucket: '${bucket}-\${environment}' }
buckets:
  - name: ${bucket}-\${environment}-media
    versioning: enabled
    lifecycle: [{ id: old, noncurrentAfter: 30d }]
environments:
  production: {}
  staging: { buckets: [{ name: '${bucket}-\${environment}-media', lifecycle: [{ id: old, noncurrentAfter: 3d }] }] }
`);
    expect(await provision('plan')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('needs an environment'),
    });
    const staging = ['--environment', 'staging'];
    expect(await provision('apply', '--yes', ...staging)).toMatchObject({ code: 0 });
    expect(await provision('check', ...staging)).toMatchObject({ code: 0 });

    const media = `${bucket}-staging-media`;
    const client = createBucketClient(connectionTo(endpoint, target.name));
    const rule = { enabled: true, prefix: '', tags: {} };
    await client.write(media, 'versioning', 'suspended');
    await client.write(media, 'lifecycle', [
      { ...rule, id: 'bucketwright-of-before', prefix: 'x/', abortUploadsDays: 2 },
      { ...rule, id: 'by-hand', prefix: 'y/', expireDays: 90 },
      { ...rule, id: 'old', noncurrentDays: 1 },
    ]);
    const plan = await provision('plan', '--out', 'staging.plan', ...staging);
    expect(plan.code).toBe(2);
    for (const line of [
      /^ {2}~ bucket "\S+-staging-media"$/m,
      /^ {6}~ versioning += "suspended" -> "enabled"$/m,
      /^ {6}~ lifecycle\[old\]\.noncurrentDays += 1 -> 3$/m,
      /^ {6}- lifecycle\[bucketwright-of-before\]\.abortUploadsDays += 2$/m,
      /^ {2}# left alone in \S+-staging-media: lifecycle rule by-hand$/m,
      /^Plan: 0 to create, 1 to change, 0 to destroy\.$/m,
    ]) {
      expect(plan.stdout).toMatch(line);
    }
    const check = await provision('check', ...staging);
    expect(check.code).toBe(2);
    expect(check.stdout).toMatch(
      /^FAIL +drift-versioning .* suspended\n +wanted: enabled\n +stricter: the manifest; .*lost at once$/m,
    );
    expect(check.stdout).toMatch(
      /^FAIL +drift-lifecycle .* rule old .*\n.*\n +stricter: the manifest; old versions go/m,
    );
    expect(check.stdout).toContain('left alone: lifecycle rule by-hand');
    const { code, stdout } = await provision('check', '--json', ...staging);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ id: 'drift-versioning', status: 'fail' })]),
    });

    // The world moves between the plan and its application.
    await client.write(media, 'versioning', 'enabled');
    expect(await provision('apply', 'staging.plan')).toMatchObject({ code: 78 });
    await client.clear(media, 'lifecycle');
    const moved = await provision('apply', 'staging.plan', ...staging);
    expect(moved).toMatchObject({ code: 1, stderr: expect.stringContaining('changed since') });
    expect(await client.read(media, 'lifecycle')).toBeUndefined();
    expect(await provision('apply', '--yes', ...staging)).toMatchObject({ code: 0 });
    expect(await provision('check', ...staging)).toMatchObject({ code: 0 });
    client.close();
  }, 120_000);

  test('the S3_* variables alone are enough, and import without names writes down every bucket', async () => {
    await rm(join(directory.path, 'bucketwright.yaml'), { force: true });
    const bucket = bucketName('cli');
    const names = { S3_BUCKET_LOKI: `${bucket}-logs`, S3_BUCKET_TEMPO: `${bucket}-traces` };
    const args = [commandLine, 'provision', 'apply', '--yes'];
    const applied = await run(process.execPath, args, { cwd: directory.path, env: { ...environment(), ...names } });
    expect(applied.stdout).toContain(`created    ${bucket}-logs`);
    const client = createBucketClient(connectionTo(endpoint, target.name));
    expect((await client.read(`${bucket}-logs`, 'lifecycle'))?.map(({ id }) => id)).toContain(
      'bucketwright-loki-chunks',
    );
    const { code, stdout } = await provision('import');
    expect(code).toBe(0);
    for (const name of await client.list()) expect(stdout).toMatch(new RegExp(`^ {2}- (?:name: )?${name}$`, 'm'));
    client.close();
  }, 120_000);

  const missing = terminalMissing();
  skipUnless(missing === undefined, missing ?? '')('on a terminal', () => {
    test('apply asks, and destroy wants the name typed, twice for objects', async () => {
      const bucket = bucketName('typed');
      await manifest(`loki: { bucket: ${bucket} }\ntempo: { bucket: ${bucket} }\n`);
      const type = (args: readonly string[], ...answers: [RegExp, string][]) =>
        runOnTerminal([process.execPath, commandLine, 'provision', ...args], answers, {
          cwd: directory.path,
          env: environment(),
        });
      const connection = connectionTo(endpoint, target.name);
      const [buckets, objects] = [createBucketClient(connection), createClient(connection)];
      const no = await type(['apply'], [/Only yes goes on/, 'y']);
      expect(no).toMatchObject({ code: 1, screen: expect.stringContaining('nothing was changed') });
      expect(await buckets.list()).not.toContain(bucket);
      const yes = await type(['apply'], [/Only yes goes on/, 'yes']);
      expect(yes).toMatchObject({ code: 0, screen: expect.stringContaining('Applied: ') });
      expect(await buckets.list()).toContain(bucket);
      await objects.put({ bucket, key: 'a', body: { bytes: '1' } });
      const once = await type(
        ['destroy', bucket, '--delete-objects'],
        [/to delete it for good/, bucket],
        [/Type the name again/, 'yes'],
      );
      expect(once).toMatchObject({ code: 1, screen: expect.stringContaining('nothing was deleted') });
      expect((await objects.head({ bucket, key: 'a' })).size).toBe(1);
      const twice = await type(
        ['destroy', bucket, '--delete-objects'],
        [/to delete it for good/, bucket],
        [/Type the name again/, bucket],
      );
      expect(twice).toMatchObject({ code: 0, screen: expect.stringContaining(`destroyed  ${bucket}`) });
      expect(await buckets.list()).not.toContain(bucket);
      buckets.close();
      objects.close();
    }, 120_000);
  });
});
