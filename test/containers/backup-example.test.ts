/** deploy/backup/docker-compose.yml as it is: nodes' volumes are backed up read-only, and restored for a drill. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { libmdbxMissing, write } from '../support/mdbx.ts';
import { repository } from '../support/paths.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { buildImage, containerBase, docker } from './docker.ts';

const base = await containerBase();
const missing = 'missing' in base ? base.missing : libmdbxMissing();
const id = `bwbackup${process.pid}`;
const image = `bucketwright-test/backup:${process.pid}`;
const volumes = ['projection', 'runner', 'bundles'];
let directory: TemporaryDirectory;

/** Beside the example: an S3 for it. */
const store = `
services:
  store:
    image: ${image}
    environment:
      MINIO_ROOT_USER: backup-key-id
      MINIO_ROOT_PASSWORD: backup-secret-key
      MINIO_DEFAULT_BUCKETS: cloudlysis-backup
  backup:
    depends_on: { store: { condition: service_healthy } }
`;

async function compose(...args: string[]): Promise<string> {
  const files = ['-f', 'deploy/backup/docker-compose.yml', '-f', join(directory.path, 'store.yml')];
  const { stdout, stderr } = await docker(['compose', '-p', id, ...files, ...args], {
    timeoutMs: 120_000,
    cwd: repository,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      BUCKETWRIGHT_IMAGE: image,
      S3_ENDPOINT: 'http://store:9000',
      S3_INSECURE: 'true',
      S3_REGION: 'eu-central-1',
      S3_ACCESS_KEY_ID_FILE: join(directory.path, 'id'),
      S3_SECRET_ACCESS_KEY_FILE: join(directory.path, 'secret'),
      BACKUP_PASSPHRASE_FILE: join(directory.path, 'passphrase'),
      PROJECTION_VOLUME: `${id}-projection`,
      RUNNER_VOLUME: `${id}-runner`,
      BUNDLES_VOLUME: `${id}-bundles`,
    },
  });
  return stdout + stderr;
}

skipUnless(missing === undefined, missing ?? '')('the backup example', () => {
  beforeAll(async () => {
    directory = await temporaryDirectory('backup-example');
    if ('image' in base) await buildImage(image, base.image);
  }, 600_000);
  afterAll(async () => {
    await compose('down', '--volumes', '--timeout', '5').catch(() => '');
    for (const name of volumes) await docker(['volume', 'rm', '--force', `${id}-${name}`]);
    await docker(['image', 'rm', '--force', image]);
    await directory.remove();
  }, 120_000);

  test('stores every source and drills it, by a user that may write to nothing else', {
    timeout: 300_000,
  }, async () => {
    const files = { id: 'backup-key-id', secret: 'backup-secret-key', passphrase: 'a passphrase for the example' };
    for (const [name, text] of Object.entries(files))
      await writeFile(join(directory.path, name), text, { mode: 0o644 });
    await writeFile(join(directory.path, 'store.yml'), store);
    for (const name of volumes) {
      const home = join(directory.path, name);
      await mkdir(home);
      if (name === 'bundles') await writeFile(join(home, 'bundle'), 'bundle');
      else await write(join(home, 'mdbx.dat'), { pageSize: 4096, seed: 1, commits: 5, changes: 100 });
      await docker(['volume', 'create', `${id}-${name}`]);
      const mounts = ['--volume', `${id}-${name}:/to`, '--volume', `${home}:/from:ro`];
      // As the node that owns them would have written them.
      const script = 'cp /from/* /to/ && chown -R 1000:1000 /to';
      await docker(['run', '--rm', '--user', 'root', '--entrypoint', 'sh', ...mounts, image, '-c', script]);
    }
    await compose('up', '--detach', '--wait', 'store');
    expect(await compose('run', '--rm', '-T', 'backup', 'backup', 'init')).toContain('made a backup repository');
    await compose('up', '--detach', '--wait');
    const cli = (...args: string[]) =>
      compose('exec', '-T', 'backup', 'node', '/app/bin/bucketwright.cjs', 'backup', ...args);
    const stored = async () => {
      const text = await cli('list');
      return ['projection', 'runner', 'bundles'].filter((name) => text.includes(`  ${name}  `));
    };
    await expect.poll(stored, { timeout: 90_000, interval: 2000 }).toEqual(['projection', 'runner', 'bundles']);
    for (const source of ['projection', 'bundles']) {
      expect(await cli('drill', source, '--scratch', '/scratch', '--rto', '10m')).toMatch(/^ok {4}restore /m);
    }
  });
});
