import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BucketClient, createBucketClient } from '../../src/client/index.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { connectionTo, onEach } from './targets.ts';

onEach('observability check --live', (target) => {
  let endpoint: DisposableEndpoint;
  let client: BucketClient;
  beforeAll(async () => {
    endpoint = await target.start();
    client = createBucketClient(connectionTo(endpoint, target.name));
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  });

  test('reads the rules that are in force and judges them', async () => {
    await using directory = await temporaryDirectory('check');
    const name = bucketName('obs');
    const check = async () => {
      const { code, stdout } = await run(
        process.execPath,
        [commandLine, 'observability', 'check', '--live', '--json'],
        {
          cwd: directory.path,
          env: cleanEnvironment({
            S3_ENDPOINT: endpoint.url,
            S3_INSECURE: 'true',
            S3_PROVIDER: target.name,
            S3_REGION: endpoint.region,
            S3_ACCESS_KEY_ID: endpoint.accessKeyId,
            S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
            S3_BUCKET_LOKI: name,
            S3_BUCKET_TEMPO: name,
          }),
          allow: [0, 2],
        },
      );
      const { findings }: { findings: { id: string; status: string; found: string }[] } = JSON.parse(stdout);
      return { code, findings: findings.map(({ id, status, found }) => `${status} ${id} ${found}`) };
    };
    await client.create(name);
    if (client.supports('lifecycle') === 'no') {
      expect((await check()).findings).toEqual([
        expect.stringMatching(/^skip loki-lifecycle/),
        expect.stringMatching(/^skip tempo-lifecycle/),
      ]);
      return;
    }
    const rule = { enabled: true, tags: {} };
    await client.write(name, 'lifecycle', [
      { ...rule, id: 'abort', prefix: '', abortUploadsDays: 7 },
      { ...rule, id: 'chunks', prefix: 'loki/fake/', expireDays: 40 },
    ]);
    expect(await check()).toMatchObject({ code: 0 });
    await client.write(name, 'lifecycle', [
      { ...rule, id: 'blocks', prefix: 'tempo/', expireDays: 14 },
      { ...rule, id: 'index', prefix: 'loki/index/', expireDays: 400 },
      { ...rule, id: 'early', prefix: 'loki/fake/', expireDays: 5 },
    ]);
    const { code, findings } = await check();
    expect(code).toBe(2);
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^fail loki-lifecycle rule index deletes/),
        expect.stringMatching(/^fail loki-lifecycle rule early deletes/),
        expect.stringMatching(/^fail tempo-lifecycle rule blocks deletes/),
        expect.stringMatching(/^warn loki-abandoned-uploads/),
        expect.stringMatching(/^warn tempo-abandoned-uploads/),
      ]),
    );
  });
});
