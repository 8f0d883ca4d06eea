import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const python = program('python3') ?? '';
const installed = python !== '' && (await run(python, ['-c', 'import boto3'], { allow: [0, 1] })).code === 0;

skipUnless(installed, notInstalled('python3-boto3'))('boto3', () => {
  let endpoint: DisposableEndpoint;
  beforeAll(async () => {
    endpoint = await testEndpoint();
  });
  afterAll(() => endpoint?.[Symbol.asyncDispose]());

  test('the steps of boto3_steps.py hold, and its presigned URL can be fetched', { timeout: 180_000 }, async () => {
    await using directory = await temporaryDirectory('boto3');
    const script = fileURLToPath(new URL('boto3_steps.py', import.meta.url));
    const args = [script, endpoint.url, endpoint.region, bucketName('boto3'), directory.path];
    const { TEST_S3_ENDPOINT } = process.env;
    const { stdout } = await run(python, args, {
      timeoutMs: 150_000,
      env: cleanEnvironment({
        HOME: directory.path,
        AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
        AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...(TEST_S3_ENDPOINT ? { TEST_S3_ENDPOINT } : {}),
      }),
    });
    expect(stdout).toMatch(/\ndone\n$/);
    const line = /^url (.*)$/m.exec(stdout)?.[1] ?? '';
    const [url, body] = z.tuple([z.string(), z.string()]).parse(JSON.parse(line));
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, body]);
  });
});
