import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, sha256 } from '../support/content.ts';
import { skipUnless } from '../support/skip.ts';
import { buildImage, type Container, containerBase, docker, runContainer } from './docker.ts';

const base = await containerBase();
const id = `bucketwright-test-${process.pid.toString(36)}-${Date.now().toString(36)}`;
const image = `bucketwright-test/image:${id}`;

/** Everything a careful operator takes away. */
const hardened = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/tmp'];

skipUnless('image' in base, 'missing' in base ? base.missing : '')('the container image', () => {
  beforeAll(async () => {
    if ('image' in base) await buildImage(image, base.image);
  }, 600_000);
  afterAll(async () => {
    await docker(['volume', 'rm', '--force', `${id}-data`, `${id}-other`]);
    await docker(['image', 'rm', '--force', image]);
  });

  test('what is inside is not writable by its user, and holds no sources or test tools', async () => {
    const script =
      'touch /app/x /app/dist/x /x 2>/dev/null || true; ls /app /app/node_modules; id -u; find /app /x -name x 2>/dev/null || true';
    const { stdout } = await docker(['run', '--rm', '--entrypoint', 'sh', image, '-c', script]);
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('1000');
    expect(lines.filter((line) => /(^|\/)x$/.test(line))).toEqual([]);
    for (const absent of ['src', 'test', 'vitest', 'typescript', '@biomejs']) expect(lines).not.toContain(absent);
  });

  test('--version and --help answer without a volume', async () => {
    const { stdout } = await docker(['run', '--rm', ...hardened, image, '--help']);
    expect(stdout).toMatch(/serve/);
  });

  test.each([
    ['its own user', `${id}-data`, []],
    ['any other user', `${id}-other`, ['--user', '4321:4321']],
  ])(
    'hardened, as %s: healthy, an S3 round trip, a clean stop, and data kept',
    { timeout: 240_000 },
    async (_, volume, user) => {
      const args = [...hardened, ...user, '--volume', `${volume}:/data`, image];
      const body = bytesOf('container', 3_000_000);
      const Bucket = 'kept';
      let keys: Keys;
      {
        await using container = await runContainer(`${id}-first`, args);
        await container.healthy();
        keys = await keysOf(container);
        const client = clientOf(container, keys);
        await client.send(new CreateBucketCommand({ Bucket }));
        await client.send(new PutObjectCommand({ Bucket, Key: 'large', Body: body }));
        await client.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'inline' }));
        // its keep-alive connection stays open: the server must not wait for it
        const began = Date.now();
        await docker(['stop', '--time', '20', container.name]);
        const took = Date.now() - began;
        client.destroy();
        const state = await docker(['inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', container.name]);
        expect([state.stdout.trim(), took < 15_000]).toEqual(['0 false', true]);
      }
      await using container = await runContainer(`${id}-second`, args);
      await container.healthy();
      expect(await keysOf(container)).toEqual(keys);
      const client = clientOf(container, keys);
      const { Buckets } = await client.send(new ListBucketsCommand({}));
      expect(Buckets?.map(({ Name }) => Name)).toContain(Bucket);
      const large = await client.send(new GetObjectCommand({ Bucket, Key: 'large' }));
      expect(sha256((await large.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(sha256(body));
      const small = await client.send(new GetObjectCommand({ Bucket, Key: 'small' }));
      expect(await small.Body?.transformToString()).toBe('inline');
      client.destroy();
    },
  );
});

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** The keys the server made for itself; the file must be its user's alone. */
async function keysOf(container: Container): Promise<Keys> {
  const { stdout } = await container.exec('sh', '-c', 'stat -c %a /data/s3.env && cat /data/s3.env');
  expect(stdout.split('\n')[0]).toBe('600');
  const value = (name: string) => new RegExp(`^${name}='?([^'\n]*)`, 'm').exec(stdout)?.[1] ?? '';
  return {
    accessKeyId: value('S3_ACCESS_KEY_ID'),
    secretAccessKey: value('S3_SECRET_ACCESS_KEY'),
    region: value('S3_REGION'),
  };
}

function clientOf(container: Container, keys: Keys): S3Client {
  const endpoint = `http://127.0.0.1:${container.port}`;
  // a copy: the client writes into what it is given
  return new S3Client({ endpoint, region: keys.region, credentials: { ...keys }, forcePathStyle: true });
}
