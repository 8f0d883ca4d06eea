/**
 * The rendered files with the real Loki and Tempo in containers, on the embedded store: started by compose behind the
 * init job, and on Swarm in the wrong order, with the store last. Grafana, Alloy and Prometheus need a registry.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lokiBinary, missing, tempoBinary } from '../observability/binaries.ts';
import { freePorts } from '../support/ports.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { buildImage, containerBase, docker } from './docker.ts';
import { buildProgram } from './programs.ts';
import { eventually, output } from './stack.ts';

const base = await containerBase();
const name = `bwreal${process.pid}`;
const ours = `bucketwright-test/real:${process.pid}`;
const programs = [
  { program: 'loki', variable: 'LOKI_IMAGE', binary: lokiBinary, proof: /^ok +loki-query-after/m },
  { program: 'tempo', variable: 'TEMPO_IMAGE', binary: tempoBinary, proof: /^ok +trace-query-after/m },
] as const;
const present = programs.filter(({ binary }) => binary !== undefined);
const images = Object.fromEntries(
  present.map(({ program, variable }) => [variable, `bucketwright-test/${program}:${process.pid}`]),
);
const keys = { S3_ACCESS_KEY_ID: 'ourkeyid', S3_SECRET_ACCESS_KEY: 'oursecretkey12345' };
const job = 600_000;
const verify = [
  'observability',
  'verify',
  '--loki-url=http://loki:3100',
  '--tempo-url=http://tempo:3200',
  '--otlp-url=http://tempo:4318',
];

if (present.length === 0) skipUnless(false, missing('LOKI_BIN'), { variable: 'LOKI_BIN' })('real programs', () => {});
else {
  skipUnless(!('missing' in base), 'missing' in base ? base.missing : '')('the real programs in containers', () => {
    beforeAll(async () => {
      if ('missing' in base) return;
      await buildImage(ours, base.image);
      for (const { program, variable, binary } of present) {
        await buildProgram(program, binary ?? '', base.image, images[variable] ?? '');
      }
    }, 900_000);
    afterAll(async () => void (await docker(['rmi', '-f', ours, ...Object.values(images)], { allow: [0, 1] })));

    /** No key in what `docker inspect` prints of a program's container. */
    const keptSecret = async (container: string) => {
      const seen = await output(['inspect', container]);
      expect(seen).toContain('AWS_SHARED_CREDENTIALS_FILE');
      expect(seen).not.toContain(keys.S3_SECRET_ACCESS_KEY);
      expect(seen).not.toContain(keys.S3_ACCESS_KEY_ID);
    };
    const proven = (text: string) => {
      for (const { proof } of present) expect(text).toMatch(proof);
    };

    it(
      'compose: healthy behind the init job, proven end to end, no key in docker inspect',
      async () => {
        await using directory = await temporaryDirectory('real');
        const [s3, page, own] = await freePorts(3);
        const ports = { S3_PORT: `${s3}`, S3_CONSOLE_PORT: `${page}`, BUCKETWRIGHT_PORT: `${own}` };
        const env = { ...keys, ...ports, ...images, BUCKETWRIGHT_IMAGE: ours };
        // Fixed ports of the host may be another's.
        const unpublished = join(directory.path, 'ports.yml');
        const services = present.map(({ program }) => `  ${program}: { ports: !reset [] }`).join('\n');
        await writeFile(unpublished, `services:\n${services}\n`);
        const files = [
          'docker-compose.yml',
          'docker-compose.s3-embedded.yml',
          'observability/docker-compose.yml',
          'observability/docker-compose.s3.yml',
          unpublished,
        ].flatMap((file) => ['-f', file]);
        const compose = (args: readonly string[], allow = [0]) =>
          docker(['compose', '-p', name, ...files, ...args], {
            env: { ...process.env, ...env },
            timeoutMs: 400_000,
            allow,
          });
        try {
          await compose(['up', '-d', '--no-build', ...present.map(({ program }) => program)]);
          for (const { program } of present) {
            const container = `${name}-${program}-1`;
            const health = () => output(['inspect', '-f', '{{.State.Health.Status}}', container]);
            await eventually(program, health, /^healthy/);
            await keptSecret(container);
          }
          const { stdout } = await compose(['run', '--rm', '--no-deps', 'minio-init', ...verify], [0, 2]);
          proven(stdout);
          // A new container on the same volumes, as after an update.
          await compose(['up', '-d', '--no-build', '--force-recreate', ...present.map(({ program }) => program)]);
          for (const { program } of present) {
            const health = () => output(['inspect', '-f', '{{.State.Health.Status}}', `${name}-${program}-1`]);
            await eventually(program, health, /^healthy/);
          }
        } finally {
          await compose(['down', '-v', '--timeout', '5'], [0, 1]);
        }
      },
      job,
    );

    it(
      'Swarm: deployed before its store, they come up once it is there, and the job ends',
      async () => {
        const active = (await output(['info', '-f', '{{.Swarm.LocalNodeState}}'])).startsWith('active');
        if (!active) await output(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
        const secrets = {
          id: keys.S3_ACCESS_KEY_ID,
          key: keys.S3_SECRET_ACCESS_KEY,
          file: `[default]\naws_access_key_id = ${keys.S3_ACCESS_KEY_ID}\naws_secret_access_key = ${keys.S3_SECRET_ACCESS_KEY}\n`,
          grafana: 'unused here',
        };
        const env = {
          ...images,
          BUCKETWRIGHT_IMAGE: ours,
          S3_ACCESS_KEY_ID_SECRET: `${name}-id`,
          S3_SECRET_ACCESS_KEY_SECRET: `${name}-key`,
          S3_CREDENTIALS_SECRET: `${name}-file`,
          GRAFANA_PASSWORD_SECRET: `${name}-grafana`,
        };
        const deploy = (...files: string[]) => {
          const stack = files.flatMap((file) => ['-c', `deploy/swarm/${file}.yml`]);
          return output(['stack', 'deploy', '--resolve-image', 'never', ...stack, name], env);
        };
        const tasks = (service: string) => () =>
          output(['service', 'ps', `${name}_${service}`, '--format', '{{.CurrentState}} {{.Error}}']);
        try {
          for (const [kind, value] of Object.entries(secrets)) {
            await docker(['secret', 'create', `${name}-${kind}`, '-'], { input: value });
          }
          await output(['node', 'update', '--label-add', 'storage=true', (await output(['node', 'ls', '-q'])).trim()]);
          await deploy('observability', 'observability.s3');
          for (const { program } of present) await eventually(`${program} without a store`, tasks(program), /Failed/);
          await deploy('store', 'observability', 'observability.s3');
          await eventually('the job', tasks('provision'), /^Complete/);
          for (const { program } of present) {
            const id = async () =>
              (await output(['ps', '-q', '-f', `name=${name}_${program}.1`, '-f', 'health=healthy'])).trim();
            await keptSecret((await eventually(program, id, /^[0-9a-f]{12}$/)).trim());
            const service = await output(['service', 'inspect', `${name}_${program}`]);
            expect(service).not.toContain(keys.S3_SECRET_ACCESS_KEY);
          }
          const settings = {
            S3_ENDPOINT: 'http://minio:9000',
            S3_INSECURE: 'true',
            S3_REGION: 'us-east-1',
            S3_PROVIDER: 'embedded',
            ...keys,
          };
          const given = Object.entries(settings).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
          const network = ['--network', `${name}_observability`];
          const { stdout } = await docker(['run', '--rm', ...network, ...given, ours, ...verify], {
            allow: [0, 2],
            timeoutMs: 300_000,
          });
          proven(stdout);
          expect((await tasks('provision')()).match(/^(?:Running|Starting|Ready)/gm)).toBeNull();
        } finally {
          await docker(['stack', 'rm', name], { allow: [0, 1] });
          await eventually('removal', () => output(['ps', '-aq', '-f', `name=${name}`]), /^$/);
          await eventually('the network', () => output(['network', 'ls', '-q', '-f', `name=${name}_`]), /^$/);
          for (const kind of Object.keys(secrets)) await docker(['secret', 'rm', `${name}-${kind}`], { allow: [0, 1] });
          const volumes = (await output(['volume', 'ls', '-q', '-f', `name=${name}_`]))
            .split('\n')
            .filter((line) => line !== '');
          if (volumes.length > 0) await docker(['volume', 'rm', ...volumes], { allow: [0, 1] });
          if (!active) await output(['swarm', 'leave', '--force']);
        }
      },
      job,
    );
  });
}
