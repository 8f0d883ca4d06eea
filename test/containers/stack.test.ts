/**
 * The rendered compose and stack files, started for real as far as images can be built: the embedded store under
 * MinIO's name and the job that makes the buckets. Loki, Tempo, Grafana, Alloy, Prometheus and MinIO need a registry:
 * on Swarm their services are created and wait for an image, in compose they are left out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { skipUnless } from '../support/skip.ts';
import { buildImage, containerBase, docker } from './docker.ts';
import { eventually, output } from './stack.ts';

const base = await containerBase();
const name = `bwstack${process.pid}`;
const image = `bucketwright-test/stack:${process.pid}`;
const reason = 'missing' in base ? base.missing : '';
const keys = { S3_ACCESS_KEY_ID: 'ourkeyid', S3_SECRET_ACCESS_KEY: 'oursecretkey12345' };
const job = 300_000;

/** Run inside the store's container, with the client library that the image has: `put`, or `get`, which prints it. */
const object = `
const { readFileSync } = require('node:fs');
const { GetObjectCommand, PutObjectCommand, S3Client } = require('@aws-sdk/client-s3');
const secret = (name) => readFileSync('/run/secrets/' + name, 'utf8').trim();
const credentials = { accessKeyId: secret('s3_access_key_id'), secretAccessKey: secret('s3_secret_access_key') };
const at = { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', forcePathStyle: true };
const client = new S3Client({ ...at, credentials });
const object = { Bucket: 'cloudlysis-loki', Key: 'kept' };
const put = () => client.send(new PutObjectCommand({ ...object, Body: 'bytes that stay' }));
const get = async () => console.log(await (await client.send(new GetObjectCommand(object))).Body.transformToString());
(process.argv[1] === 'put' ? put() : get()).catch((error) => { console.error(error.name); process.exitCode = 1; });`;

skipUnless(!('missing' in base), reason)('the stack in containers', () => {
  beforeAll(async () => {
    if (!('missing' in base)) await buildImage(image, base.image);
  }, 600_000);
  afterAll(async () => void (await docker(['rmi', '-f', image], { allow: [0, 1] })));

  // MinIO's own image needs a registry: ours takes its place in that file, by the image line alone.
  it.each([
    ['docker-compose.s3-embedded.yml', {}],
    ['docker-compose.s3.yml', { MINIO_IMAGE: image }],
  ])(
    'compose: %s comes up, is provisioned and proven, and keeps its data',
    async (file, images) => {
      const [s3, console, own] = await freePorts(3);
      const ports = { S3_PORT: `${s3}`, S3_CONSOLE_PORT: `${console}`, BUCKETWRIGHT_PORT: `${own}` };
      const env = { ...keys, ...ports, BUCKETWRIGHT_IMAGE: image, ...images };
      const files = ['-f', 'docker-compose.yml', '-f', file];
      const compose = (...args: string[]) => output(['compose', '-p', name, ...files, ...args], env);
      const state = () => output(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', `${name}-minio-init-1`]);
      try {
        await compose('up', '-d', '--no-build');
        await eventually('the job', state, /^exited 0/);
        expect(await compose('logs', 'minio-init')).toMatch(/created +cloudlysis-loki[\s\S]*created +cloudlysis-tempo/);
        expect(await compose('run', '--rm', 'minio-init', 'verify')).not.toContain('FAIL');
        for (const container of ['minio', 'minio-init']) {
          const seen = await output(['inspect', `${name}-${container}-1`]);
          expect(seen).not.toContain(keys.S3_SECRET_ACCESS_KEY);
        }
        expect((await fetch(`http://127.0.0.1:${console}/`)).status).toBe(200);
        await compose('exec', 'minio', 'node', '-e', object, 'put');
        await compose('down');
        await compose('up', '-d', '--no-build');
        await eventually('the job', state, /^exited 0/);
        expect(await compose('logs', 'minio-init')).toMatch(/exists +cloudlysis-loki[\s\S]*exists +cloudlysis-tempo/);
        expect(await compose('exec', 'minio', 'node', '-e', object, 'get')).toContain('bytes that stay');
      } finally {
        await compose('down', '-v');
      }
    },
    job,
  );

  it(
    "compose: the users of Loki's and Tempo's images can read the keys that observability/docker-compose.s3.yml gives them",
    async () => {
      // The programs' images cannot be had: ours takes their place and prints what they would read, as their user.
      const show =
        "const fs = require('fs'); process.stdout.write(fs.readFileSync(process.env.AWS_SHARED_CREDENTIALS_FILE))";
      const env = { ...keys, BUCKETWRIGHT_IMAGE: image, LOKI_IMAGE: image, TEMPO_IMAGE: image };
      const files = ['-f', 'observability/docker-compose.yml', '-f', 'observability/docker-compose.s3.yml'];
      const compose = (...args: string[]) => output(['compose', '-p', `${name}o`, ...files, ...args], env);
      try {
        for (const [service, user] of [
          ['loki', '10001'],
          ['tempo', '10001:10001'],
        ] as const) {
          const once = ['run', '--rm', '--no-deps', '--user', user, '--entrypoint', 'node', service, '-e', show];
          expect(await compose(...once)).toContain(
            `[default]\naws_access_key_id = ${keys.S3_ACCESS_KEY_ID}\naws_secret_access_key = ${keys.S3_SECRET_ACCESS_KEY}\n`,
          );
        }
      } finally {
        await compose('down', '-v');
      }
    },
    job,
  );

  it(
    'Swarm: deployed with secrets in any order, a bad update is rolled back, data stays',
    async () => {
      const active = (await output(['info', '-f', '{{.Swarm.LocalNodeState}}'])).startsWith('active');
      if (!active) await output(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
      const secrets = {
        id: keys.S3_ACCESS_KEY_ID,
        key: keys.S3_SECRET_ACCESS_KEY,
        file: 'unused here',
        grafana: 'unused here',
      };
      const env = {
        BUCKETWRIGHT_IMAGE: image,
        S3_ACCESS_KEY_ID_SECRET: `${name}-id`,
        S3_SECRET_ACCESS_KEY_SECRET: `${name}-key`,
        S3_CREDENTIALS_SECRET: `${name}-file`,
        GRAFANA_PASSWORD_SECRET: `${name}-grafana`,
      };
      const task = (service: string) => () =>
        output(['service', 'ps', `${name}_${service}`, '--format', '{{.CurrentState}} {{.Error}}']);
      try {
        for (const [kind, value] of Object.entries(secrets)) {
          await docker(['secret', 'create', `${name}-${kind}`, '-'], { input: value });
        }
        const node = (await output(['node', 'ls', '-q'])).trim();
        await output(['node', 'update', '--label-add', 'storage=true', node]);
        const stack = ['store', 'observability', 'observability.s3'].flatMap((file) => [
          '-c',
          `deploy/swarm/${file}.yml`,
        ]);
        await output(['stack', 'deploy', '--resolve-image', 'never', ...stack, name], env);
        await eventually('the job', task('provision'), /^Complete/);
        expect(await output(['service', 'logs', `${name}_provision`])).toMatch(/created +cloudlysis-loki/);
        expect(await output(['service', 'inspect', `${name}_minio`, `${name}_provision`])).not.toContain(
          keys.S3_SECRET_ACCESS_KEY,
        );

        const container = async () => (await output(['ps', '-q', '-f', `name=${name}_minio.1`])).trim();
        const before = await container();
        await output(['exec', before, 'node', '-e', object, 'put']);

        // A setting that the server refuses at its start: Swarm goes back to what ran, by itself.
        await output(['service', 'update', '--detach', '--env-add', 'BUCKETWRIGHT_DURABILITY=none', `${name}_minio`]);
        const status = () => output(['service', 'inspect', '-f', '{{.UpdateStatus.State}}', `${name}_minio`]);
        await eventually('the update', status, /^rollback_(?:started|completed)/);
        await eventually('the store', task('minio'), /^Running/);
        const read = async () => {
          const after = await container();
          if (!/^[0-9a-f]{12}$/.test(after)) return `no container: ${after}`;
          const { stdout, stderr } = await docker(['exec', after, 'node', '-e', object, 'get'], { allow: [0, 1, 126] });
          return `${after} ${stdout}${stderr}`;
        };
        expect(await eventually('the object', read, /bytes that stay/)).not.toContain(before);

        await output(['service', 'update', '--detach', '--force', `${name}_provision`]);
        const logs = () => output(['service', 'logs', `${name}_provision`]);
        await eventually('the second run', logs, /exists +cloudlysis-loki/);
        // It ended well, so it is not started again.
        await sleep(3_000);
        expect((await logs()).match(/exists +cloudlysis-loki/g)).toHaveLength(1);
      } finally {
        await docker(['stack', 'rm', name], { allow: [0, 1] });
        await eventually('removal', () => output(['ps', '-aq', '-f', `name=${name}`]), /^$/);
        await eventually('the network', () => output(['network', 'ls', '-q', '-f', `name=${name}_`]), /^$/);
        for (const kind of Object.keys(secrets)) await docker(['secret', 'rm', `${name}-${kind}`], { allow: [0, 1] });
        await docker(['volume', 'rm', `${name}_minio-data`], { allow: [0, 1] });
        if (!active) await output(['swarm', 'leave', '--force']);
      }
    },
    job,
  );
});
