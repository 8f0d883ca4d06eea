/**
 * Every sensible combination of -f files and stack files is valid to the real Docker CLI. Nothing is started here: the
 * images of Loki, Tempo, Grafana, Alloy, Prometheus and MinIO need a registry.
 */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../support/paths.ts';
import { program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';

const docker = program('docker');
const has = async (...args: string[]) =>
  docker !== undefined && (await run(docker, args, { allow: [0, 1, 125] })).code === 0;
const compose = await has('compose', 'version');
const noCompose = 'the Docker CLI with Compose v2 is not installed (script/setup-containers)';

const keys = { S3_ACCESS_KEY_ID: 'AKIAEXAMPLE', S3_SECRET_ACCESS_KEY: 'secretsecretsecret' };
const platform = 'docker-compose.yml';
const minio = 'docker-compose.s3.yml';
const embedded = 'docker-compose.s3-embedded.yml';
const stackFile = 'observability/docker-compose.yml';
const stackS3 = 'observability/docker-compose.s3.yml';

async function config(files: readonly string[], environment: NodeJS.ProcessEnv, args: readonly string[] = []) {
  const { PATH, HOME } = process.env;
  const flags = files.flatMap((file) => ['-f', file]);
  return await run(docker ?? 'docker', ['compose', ...flags, 'config', ...args], {
    cwd: repository,
    env: { PATH, HOME, ...environment },
    allow: [0, 1, 14, 15],
  });
}

skipUnless(compose, noCompose)('docker compose config', () => {
  it.each([
    [[platform]],
    [[minio]],
    [[embedded]],
    [[stackFile]],
    [[stackFile, stackS3]],
    [[platform, minio]],
    [[platform, embedded]],
    [[platform, stackFile]],
    [[platform, stackFile, stackS3]],
    [[platform, minio, stackFile]],
    [[platform, embedded, stackFile]],
    [[platform, minio, stackFile, stackS3]],
    [[platform, embedded, stackFile, stackS3]],
    [[minio, stackFile, stackS3]],
    [[embedded, stackFile, stackS3]],
  ])('%j', async (files) => {
    const result = await config(files, keys);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const { services } = parse(result.stdout);
    const environments = Object.values<{ environment?: unknown }>(services).map(({ environment }) => environment);
    expect(JSON.stringify(environments)).not.toContain(keys.S3_SECRET_ACCESS_KEY);
  });

  it('finds the configuration files whichever file comes first', async () => {
    for (const files of [
      [stackFile, stackS3],
      [platform, minio, stackFile, stackS3],
    ]) {
      const { services } = parse((await config(files, keys)).stdout);
      const mounts: { source: string; target: string }[] = services.loki.volumes;
      expect(mounts.filter(({ target }) => target === '/etc/loki/config.yml').map(({ source }) => source)).toEqual([
        `${repository}/observability/loki/config.s3.yml`,
      ]);
      expect(services.tempo.depends_on['minio-init'].condition).toBe('service_completed_successfully');
    }
  });

  it('stops, naming the key, when one is not set', async () => {
    const result = await config([platform, minio, stackFile, stackS3], { S3_ACCESS_KEY_ID: 'AKIAEXAMPLE' });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('S3_SECRET_ACCESS_KEY');
  });
});

const swarm = (name: string) => `deploy/swarm/${name}.yml`;

// `docker stack config` is newer than Debian's Docker; Compose reads the same format.
skipUnless(compose, noCompose)('the Swarm stack files', () => {
  it.each([
    [['observability']],
    [['observability', 'observability.s3']],
    [['store', 'observability', 'observability.s3']],
    [['store']],
  ])('%j', async (names) => {
    const { stdout } = await config(names.map(swarm), {});
    const { services } = parse(stdout);
    for (const [name, service] of Object.entries<Record<string, unknown>>(services)) {
      expect(service, name).toMatchObject({ deploy: { resources: { limits: { memory: expect.any(String) } } } });
      expect(service, `${name} waits for what Swarm ignores`).not.toHaveProperty('depends_on');
    }
    expect(JSON.stringify(services)).not.toMatch(/SECRET_ACCESS_KEY"|ACCESS_KEY_ID"/);
    for (const name of ['loki', 'tempo', 'collector', 'prometheus', 'grafana'].filter((name) => name in services)) {
      expect(services[name], name).toMatchObject({
        healthcheck: { test: expect.any(Array), start_period: expect.any(String) },
        deploy: {
          update_config: { failure_action: 'rollback', monitor: '1m30s' },
          rollback_config: { monitor: '1m30s' },
          restart_policy: { condition: 'any' },
        },
        volumes: expect.arrayContaining([expect.objectContaining({ type: 'volume' })]),
      });
    }
    for (const name of ['loki', 'tempo'].filter((name) => name in services)) {
      expect(services[name], name).toHaveProperty('stop_grace_period');
    }
  });

  it('of backups has every secret as a file, and the volumes of nodes read-only', async () => {
    const swarm = await config(['deploy/backup/swarm.yml'], { S3_ENDPOINT: 'https://s3.example.com' });
    expect(swarm.code).toBe(0);
    const compose = await config(['deploy/backup/docker-compose.yml'], { S3_ENDPOINT: 'https://s3.example.com' });
    expect(compose).toMatchObject({ code: 0, stderr: '' });
    for (const { stdout } of [swarm, compose]) {
      const { backup } = parse(stdout).services;
      expect(backup).toMatchObject({
        environment: { BUCKETWRIGHT_BACKUP_PASSPHRASE_FILE: '/run/secrets/backup_passphrase' },
        read_only: true,
        cap_drop: ['ALL'],
        stop_grace_period: '2m0s',
      });
      const mounts: readonly { target: string; read_only?: boolean }[] = backup.volumes;
      const nodes = mounts.filter(({ target }) => target.startsWith('/nodes/'));
      expect(nodes.map((mount) => mount.read_only)).toEqual([true, true, true]);
    }
    const none = await config(['deploy/backup/docker-compose.yml'], {});
    expect(none.code).not.toBe(0);
    expect(none.stderr).toContain('S3_ENDPOINT');
  });

  it('take the S3 configuration in place of the other', async () => {
    const { stdout } = await config(['observability', 'observability.s3'].map(swarm), {});
    expect(parse(stdout).configs.loki.file).toBe(`${repository}/observability/loki/config.s3.yml`);
  });
});
