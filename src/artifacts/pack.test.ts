import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pack as tarPack } from 'tar-stream';
import { afterEach, expect, test } from 'vitest';
import { asBytes, openSource } from './pack.ts';
import { unpack } from './unpack.ts';
import { cut, measure, partSizeFor } from './upload.ts';

const made: string[] = [];
const scratch = async () => {
  const path = await mkdtemp(join(tmpdir(), 'bucketwright-pack-'));
  made.push(path);
  return path;
};
afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});
const limits = { bytes: 1_000_000, entries: 100 };

test('a directory has the same digest whatever its times, its owners and the order it was made in', async () => {
  const [one, two] = [await scratch(), await scratch()];
  const files = ['b', 'a/deep/file', 'ü', 'a-b', `${'long'.repeat(40)}/x`];
  for (const [root, list] of [
    [one, files],
    [two, files.toReversed()],
  ] as const) {
    for (const file of list) {
      await mkdir(join(root, file, '..'), { recursive: true });
      await writeFile(join(root, file), `content of ${file}`);
    }
    await mkdir(join(root, 'empty'));
  }
  await utimes(join(two, 'b'), 1, 1);
  await chmod(join(two, 'b'), 0o600);
  const digests = [await measure(await openSource(one)), await measure(await openSource(two))];
  expect(digests[0]).toEqual(digests[1]);
  await chmod(join(two, 'b'), 0o755);
  expect((await measure(await openSource(two))).digest).not.toBe(digests[0]?.digest);
});

test('a known tree has the digest that it had on every machine before, whatever the umask, zone and order', async () => {
  const root = await scratch();
  const before = process.umask(0o077);
  const zone = process.env.TZ;
  process.env.TZ = 'Pacific/Kiritimati';
  try {
    for (const [path, text] of [
      ['z', ''],
      ['a/b', 'b\n'],
      ['ä', 'umlaut'],
      ['a.b', 'x'.repeat(1000)],
    ] as const) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await mkdir(join(root, 'empty'), { mode: 0o700 });
    await chmod(join(root, 'z'), 0o700);
    const { digest, size } = await measure(await openSource(root));
    expect([digest, size]).toEqual(['sha256:a2d721a1fd6bf73e7755df56343e878a8201982e46a16743a18b150971278912', 7168]);
  } finally {
    process.umask(before);
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('what was packed is unpacked the same', async () => {
  const [from, to] = [await scratch(), await scratch()];
  await mkdir(join(from, 'bin/empty'), { recursive: true });
  await writeFile(join(from, 'bin/run'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(from, 'nothing'), '');
  await unpack((await openSource(from)).read(), to, limits);
  expect(await readFile(join(to, 'bin/run'), 'utf8')).toBe('#!/bin/sh\n');
  expect((await stat(join(to, 'bin/run'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(to, 'nothing'))).size).toBe(0);
  expect((await stat(join(to, 'bin/empty'))).isDirectory()).toBe(true);
});

test('links and a file that shrinks are refused', async () => {
  const from = await scratch();
  await writeFile(join(from, 'file'), 'x'.repeat(1000));
  const source = await openSource(from);
  await writeFile(join(from, 'file'), 'short');
  await expect(measure(source)).rejects.toMatchObject({ code: 'content-changed' });
  await symlink('/etc/passwd', join(from, 'link'));
  await expect(openSource(from)).rejects.toMatchObject({ code: 'unpackable' });
});

type Entry = Parameters<ReturnType<typeof tarPack>['entry']>[0];
const archive = async function* (entries: readonly Entry[]) {
  const pack = tarPack();
  for (const entry of entries) pack.entry(entry, entry.type === 'file' ? 'evil' : '');
  pack.finalize();
  for await (const chunk of pack) yield asBytes(chunk);
};

test.each<[string, Entry[]]>([
  ['a path above', [{ name: '../evil', type: 'file' }]],
  ['a path above in the middle', [{ name: 'a/../../evil', type: 'file' }]],
  ['an absolute path', [{ name: '/tmp/evil', type: 'file' }]],
  ['a symbolic link', [{ name: 'link', type: 'symlink', linkname: '/etc' }]],
  ['a hard link', [{ name: 'link', type: 'link', linkname: '/etc/passwd' }]],
  ['a device', [{ name: 'null', type: 'character-device' }]],
  [
    'one path twice',
    [
      { name: 'a', type: 'file' },
      { name: 'a', type: 'file' },
    ],
  ],
  ['too many', Array.from({ length: 101 }, (_, index) => ({ name: `f${index}`, type: 'file' as const }))],
])('an archive with %s is refused', async (_, entries) => {
  const to = await scratch();
  await expect(unpack(archive(entries), join(to), limits)).rejects.toMatchObject({ code: 'unsafe-archive' });
});

test('an archive with too many bytes is refused', async () => {
  const to = await scratch();
  const source = archive([{ name: 'a', type: 'file' }]);
  await expect(unpack(source, to, { bytes: 3, entries: 10 })).rejects.toMatchObject({ code: 'unsafe-archive' });
});

test('random bytes are no archive, and end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), async (bytes) => {
      const to = await scratch();
      const source = (async function* () {
        yield bytes;
      })();
      const failure = await unpack(source, to, limits).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure === undefined || failure instanceof Error).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('pieces are the same bytes, all but the last one full', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 30 })),
      fc.integer({ min: 1, max: 20 }),
      async (chunks, size) => {
        const pieces: Buffer[] = [];
        const source = (async function* () {
          yield* chunks;
        })();
        for await (const piece of cut(source, size)) pieces.push(piece);
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(chunks));
        expect(pieces.slice(0, -1).every(({ length }) => length === size)).toBe(true);
        expect(pieces.at(-1)?.length).not.toBe(0);
      },
    ),
  );
});

test('5 TiB fit into the parts that S3 allows', () => {
  expect(Math.ceil((5 * 1024 ** 4) / partSizeFor(5 * 1024 ** 4))).toBeLessThanOrEqual(10_000);
});
