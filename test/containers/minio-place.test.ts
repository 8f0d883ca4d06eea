/** Compose services written for MinIO, with nothing changed but the image line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { buildImage, containerBase, docker, runContainer } from './docker.ts';

const base = await containerBase();
const id = `bwplace${process.pid}`;
const image = `bucketwright-test/minio-place:${process.pid}`;
let directory: TemporaryDirectory;

interface Stack extends AsyncDisposable {
  readonly page: string;
  readonly client: S3Client;
  compose(...args: string[]): Promise<string>;
}

/** A compose project around one service; `{S3}` and `{CONSOLE}` are free loopback ports. */
async function stack(name: string, service: string): Promise<Stack> {
  const [s3, page] = await freePorts(2);
  const file = join(directory.path, `${name}.yml`);
  const lines = service.trim().replace('{S3}', `127.0.0.1:${s3}`).replace('{CONSOLE}', `127.0.0.1:${page}`);
  writeFileSync(file, `services:\n  minio:\n    image: ${image}\n    ${lines}\nvolumes:\n  minio-data:\n`);
  const compose = async (...args: string[]) => {
    const options = { timeoutMs: 120_000, allow: [0, 1] };
    const { stdout, stderr } = await docker(['compose', '-p', `${id}${name}`, '-f', file, ...args], options);
    return stdout + stderr;
  };
  const credentials = { accessKeyId: 'minio-root-user', secretAccessKey: 'minio-root-password' };
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${s3}`,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials,
  });
  return {
    page: `http://127.0.0.1:${page}`,
    client,
    compose,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await compose('down', '--volumes', '--timeout', '5');
    },
  };
}

const names = async (client: S3Client) =>
  (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
const job = { timeout: 180_000 };

skipUnless('image' in base, 'missing' in base ? base.missing : '')("our image in MinIO's place", () => {
  beforeAll(async () => {
    directory = await temporaryDirectory('minio-place');
    if ('image' in base) await buildImage(image, base.image);
  }, 600_000);
  afterAll(async () => {
    await docker(['image', 'rm', '--force', image]);
    await directory.remove();
  });

  test('server /data with a console, a health check by curl, buckets: data outlives the container', job, async () => {
    await using place = await stack(
      'curl',
      `
    command: server /data --console-address ":9001"
    environment:
      MINIO_ROOT_USER: minio-root-user
      MINIO_ROOT_PASSWORD: minio-root-password
      MINIO_DEFAULT_BUCKETS: photos,backups
      MINIO_BROWSER: "on"
    ports: ["{S3}:9000", "{CONSOLE}:9001"]
    volumes: ["minio-data:/data"]
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:9000/minio/health/live"]
      interval: 1s
      retries: 30`,
    );
    const up = await place.compose('up', '--detach', '--wait');
    expect(await place.compose('ps', '--format', 'json'), up).toContain('"Health":"healthy"');
    expect(await names(place.client)).toEqual(['backups', 'photos']);
    await place.client.send(new PutObjectCommand({ Bucket: 'photos', Key: 'a', Body: 'kept' }));
    expect((await fetch(place.page)).status).toBe(200);
    await place.compose('down');
    await place.compose('up', '--detach', '--wait');
    const { Body } = await place.client.send(new GetObjectCommand({ Bucket: 'photos', Key: 'a' }));
    expect(await Body?.transformToString()).toBe('kept');
  });

  test('mkdir for the buckets, minio by its name, a health check by mc, keys from secret files', job, async () => {
    await using place = await stack(
      'mkdir',
      `
    entrypoint: sh
    command: -c 'mkdir -p /data/photos && /usr/bin/minio server /data'
    environment:
      MINIO_ROOT_USER_FILE: root-user
      MINIO_ROOT_PASSWORD_FILE: /run/secrets/root-password
    secrets: [root-user, root-password]
    ports: ["{S3}:9000"]
    volumes: ["minio-data:/data"]
    healthcheck:
      test: ["CMD", "mc", "ready", "local"]
      interval: 1s
      retries: 30
secrets:
  root-user: { file: ${join(directory.path, 'user')} }
  root-password: { file: ${join(directory.path, 'password')} }`,
    );
    writeFileSync(join(directory.path, 'user'), 'minio-root-user\n');
    writeFileSync(join(directory.path, 'password'), 'minio-root-password\n');
    const up = await place.compose('up', '--detach', '--wait');
    expect(await place.compose('ps', '--format', 'json'), up).toContain('"Health":"healthy"');
    expect(await names(place.client)).toEqual(['photos']);
  });

  test('an init container that calls mc, on the read-only image without any capability', job, async () => {
    await using place = await stack(
      'init',
      `
    command: minio server /data
    environment: { MINIO_ACCESS_KEY: minio-root-user, MINIO_SECRET_KEY: minio-root-password }
    ports: ["{S3}:9000"]
    volumes: ["minio-data:/data"]
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
  createbuckets:
    image: ${image}
    depends_on: [minio]
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    healthcheck: { disable: true }
    entrypoint: >
      /bin/sh -c "
      until (/usr/bin/mc config host add myminio http://minio:9000 minio-root-user minio-root-password) do echo '...waiting...' && sleep 1; done;
      /usr/bin/mc mb myminio/photos || exit 1;
      /usr/bin/mc mb --ignore-existing myminio/photos myminio/backups || exit 1;
      /usr/bin/mc admin user add myminio someone secret-of-someone;
      exit 0;
      "`,
    );
    const up = await place.compose('up', '--abort-on-container-exit', '--exit-code-from', 'createbuckets');
    expect(up).toContain("this image's mc does not have `admin user`");
    expect(up).not.toContain('secret-of-someone');
    await place.compose('up', '--detach', '--wait', 'minio');
    expect(await names(place.client)).toEqual(['backups', 'photos']);
  });

  test('on a fresh volume as any user, and as root without capabilities: healthy, and private', job, async () => {
    const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    for (const user of ['1000:1000', '4321:0', '0:0']) {
      const args = [...hardened, '--user', user, image, 'server', '/data', '--console-address', ':9001'];
      await using container = await runContainer(`${id}-${user.replace(':', '-')}`, args);
      await container.healthy();
      const { stdout } = await container.exec('sh', '-c', 'id -u; stat -c %a /data/index /data/s3.env');
      expect(stdout.trim().split('\n')).toEqual([user.split(':')[0], '700', '600']);
    }
  });

  test("root without capabilities on what is another user's is told what is missing", job, async () => {
    const volume = `${id}-foreign`;
    const mount = ['--volume', `${volume}:/mnt/objects`];
    try {
      const give = ['--user', 'root', '--entrypoint', 'sh', image, '-c', 'chown 4321:4321 /mnt/objects'];
      await docker(['run', '--rm', ...mount, ...give]);
      const args = ['run', '--rm', '--user', 'root', '--cap-drop', 'ALL', ...mount, image, 'server', '/mnt/objects'];
      const refused = await docker(args, { allow: [77] });
      expect(refused.stderr).toContain('uid 0 may not write /mnt/objects: it belongs to 4321:4321 with mode 755');
      expect(refused.stderr).toContain('CHOWN');
    } finally {
      await docker(['volume', 'rm', '--force', volume]);
    }
  });

  test("a volume of MinIO's own is refused, and nothing of it changes hands", job, async () => {
    const volume = `${id}-old`;
    const mount = ['--volume', `${volume}:/mnt/objects`];
    const sh = ['run', '--rm', '--user', 'root', ...mount, '--entrypoint', 'sh', image, '-c'];
    try {
      await docker([...sh, 'mkdir -p /mnt/objects/.minio.sys/buckets']);
      const args = ['run', '--rm', '--user', 'root', ...mount, image, 'server', '/mnt/objects'];
      expect((await docker(args, { allow: [78] })).stderr).toContain("holds MinIO's data");
      const { stdout } = await docker([...sh, 'cd /mnt/objects && stat -c %u . .minio.sys && ls -A']);
      expect(stdout.trim().split('\n')).toEqual(['0', '0', '.minio.sys']);
    } finally {
      await docker(['volume', 'rm', '--force', volume]);
    }
  });

  test(
    "a root-owned volume: refused with both uids, usable with user: root, and root's rights are gone",
    job,
    async () => {
      const volume = `${id}-owned`;
      // A path that the image does not have: Docker makes the volume root's.
      const args = ['--volume', `${volume}:/mnt/objects`, image, 'server', '/mnt/objects'];
      const ready = 'for i in $(seq 60); do mc ready local && break; sleep 0.5; done; mc ready local || exit 1';
      try {
        const refused = await docker(['run', '--rm', ...args], { allow: [77] });
        expect(refused.stderr).toContain('uid 1000 may not write /mnt/objects: it belongs to 0:0 with mode 755');
        await docker(['run', '--detach', '--name', `${id}-root`, '--user', 'root', ...args]);
        const ask = `${ready}; grep ^Uid: /proc/1/status; stat -c %u:%g /mnt/objects/index`;
        const { stdout } = await docker(['exec', `${id}-root`, 'sh', '-c', ask]);
        expect(stdout.trim().split('\n')).toEqual(['Uid:\t1000\t1000\t1000\t1000', '1000:1000']);
        await docker(['rm', '--force', `${id}-root`]);
        // From now on the image's own user can use it.
        await docker(['run', '--detach', '--name', `${id}-root`, ...args]);
        await docker(['exec', `${id}-root`, 'sh', '-c', ready]);
      } finally {
        await docker(['rm', '--force', `${id}-root`], { allow: [0, 1] });
        await docker(['volume', 'rm', '--force', volume]);
      }
    },
  );

  test('what is not supported ends the container with 78 and every name', async () => {
    const environment = ['-e', 'MINIO_IDENTITY_OPENID_CONFIG_URL=x', '-e', 'MINIO_KMS_SECRET_KEY=a:b'];
    const args = ['run', '--rm', ...environment, image, 'server', 'http://node{1...4}/data', '--certs-dir', '/c'];
    const { stderr } = await docker(args, { allow: [78] });
    for (const name of ['MINIO_IDENTITY_OPENID', 'MINIO_KMS', 'node{1...4}', '--certs-dir']) {
      expect(stderr).toContain(name);
    }
  });
});
