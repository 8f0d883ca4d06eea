import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync, writeSync } from 'node:fs';
import { copyFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type OpenBytes, openBytes } from '../../src/backup/mdbx/file-bytes.ts';
import type { MdbxSourceOptions } from '../../src/backup/mdbx/options.ts';
import { restoreEnvironment } from '../../src/backup/mdbx/restore.ts';
import { mdbxSource } from '../../src/backup/mdbx/source.ts';
import type { MdbxContent } from '../../src/backup/repository/model.ts';
import type { Stored } from '../../src/backup/source/port.ts';
import {
  checkEnvironment,
  clearAll,
  contentOf,
  createEmpty,
  libmdbxMissing,
  mdbxCopy,
  startWriter,
  type WriteOptions,
  withoutNumbers,
  write,
  writeArguments,
} from '../support/mdbx.ts';
import { MemoryRepository } from '../support/memory-repository.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();
/** Hand-run with millions of changes: `MDBX_CHANGES=3000000 npx vitest run test/backup/capture.test.ts`. */
const manyChanges = Number(process.env.MDBX_CHANGES ?? 120_000);

type Taken = Stored & { readonly content: MdbxContent };

/** An environment, what was taken of it, and what libmdbx finds in a restored one. */
class Bench implements AsyncDisposable {
  readonly repository = new MemoryRepository();
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  #restored = 0;

  constructor(directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.#directory = directory;
  }

  static create = async () => new Bench(await temporaryDirectory('mdbx'));

  file = (name: string) => join(this.#directory.path, name);
  get path() {
    return this.file('source');
  }

  async take(base?: MdbxContent, options: Partial<MdbxSourceOptions> = {}): Promise<Taken> {
    const source = mdbxSource({
      path: this.path,
      scratch: this.#directory.path,
      method: 'reader',
      mdbxCopy: undefined,
      clock: { now: Date.now },
      ...options,
    });
    await using frozen = await source.freeze({ base, store: this.repository });
    const stored = await frozen.store(this.repository);
    if (stored.content.kind !== 'mdbx') throw new Error('another kind');
    return { ...stored, content: stored.content };
  }

  /** @throws CommandFailed where libmdbx finds damage, or the content is not that of its last commit */
  async restored({ content }: Taken): Promise<{ readonly counter: bigint; readonly sum: bigint }> {
    this.#restored += 1;
    const target = this.file(`restored-${this.#restored}`);
    await restoreEnvironment({ content, store: this.repository, target });
    await checkEnvironment(target);
    return contentOf(target);
  }

  [Symbol.asyncDispose] = () => this.#directory.remove();
}

/** Reads as usual, and does something before some reads. */
const reading =
  (before: (read: number, buffer: Buffer, position: number) => void): OpenBytes =>
  (path) => {
    const bytes = openBytes(path);
    let reads = 0;
    return {
      ...bytes,
      read(buffer, position) {
        reads += 1;
        before(reads, buffer, position);
        return bytes.read(buffer, position);
      },
    };
  };

const helper = join(mdbxCopy, '../helper');
function commitNow(path: string, options: WriteOptions): string {
  return execFileSync(helper, writeArguments(path, options), { encoding: 'utf8' }).trim().split('\n').at(-1) ?? '';
}

const pageSizes = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

skipUnless(missing === undefined, missing ?? '')('our reader of an MDBX environment', () => {
  test.each(pageSizes)(
    'with pages of %i bytes: libmdbx finds the same in the copy, and in an increment',
    async (pageSize) => {
      await using bench = await Bench.create();
      const options = { pageSize, changes: 150, mode: 'nosync' } as const;
      const commits = await write(bench.path, { ...options, seed: pageSize, commits: 40 });
      const whole = await bench.take();
      expect(await bench.restored(whole)).toMatchObject({ counter: 40n, sum: commits.at(-1)?.sum });
      const more = await write(bench.path, { ...options, seed: pageSize + 1, commits: 3, changes: 20 });
      const increment = await bench.take(whole.content);
      expect(increment.content.layers).toHaveLength(2);
      expect(await bench.restored(increment)).toMatchObject({ counter: 43n, sum: more.at(-1)?.sum });
    },
  );

  test('an empty one', async () => {
    await using bench = await Bench.create();
    await createEmpty(bench.path, 4096);
    const { content } = await bench.take();
    await restoreEnvironment({ content, store: bench.repository, target: bench.file('target') });
    await checkEnvironment(bench.file('target'));
    expect(bench.repository.added).toBe(0);
  });

  test('one that lies in a directory, restored as one', async () => {
    await using bench = await Bench.create();
    const commits = await write(bench.path, { pageSize: 4096, seed: 1, commits: 5, changes: 100 });
    await rename(bench.path, bench.file('mdbx.dat'));
    const stored = await bench.take(undefined, { path: bench.file('.') });
    expect(stored.content.subdirectory).toBe(true);
    await restoreEnvironment({ content: stored.content, store: bench.repository, target: bench.file('target') });
    expect((await contentOf(bench.file('target/mdbx.dat'))).sum).toBe(commits.at(-1)?.sum);
  });

  test(`after ${manyChanges} updates and deletes, in increments`, { timeout: 3_600_000 }, async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, changes: 2000, mode: 'nosync', keys: 50_000, drop: 45 } as const;
    const rounds = 4;
    let last: Taken | undefined;
    for (let round = 0; round < rounds; round++) {
      const commits = Math.ceil(manyChanges / rounds / options.changes);
      const done = await write(bench.path, { ...options, seed: round, commits });
      last = await bench.take(last?.content);
      expect((await bench.restored(last)).sum).toBe(done.at(-1)?.sum);
    }
    expect(last?.content.layers).toHaveLength(rounds);
  });

  test('an increment reads and stores what changed only, however large the rest', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, mode: 'nosync', keys: 40_000 } as const;
    await write(bench.path, { ...options, seed: 1, commits: 100, changes: 1000 });
    const whole = await bench.take();
    let base = whole.content;
    for (const seed of [2, 3, 4]) {
      const commits = await write(bench.path, { ...options, seed, commits: 1, changes: 3 });
      const added = bench.repository.added;
      const increment = await bench.take(base);
      // The changed pages, and the headers of their neighbours: a commit of three changes touches some trees.
      expect(bench.repository.added - added).toBeLessThan(whole.read / 20);
      expect(increment.read).toBeLessThan(whole.read / 15);
      expect((await bench.restored(increment)).sum).toBe(commits.at(-1)?.sum);
      base = increment.content;
    }
  });

  test('one that grew and shrank between increments', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, mode: 'nosync', keys: 20_000 } as const;
    await write(bench.path, { ...options, seed: 1, commits: 2, changes: 500 });
    const small = await bench.take();
    const grown = await write(bench.path, { ...options, seed: 2, commits: 40, changes: 1000, drop: 5 });
    const [size, large] = [statSync(bench.path).size, await bench.take(small.content)];
    expect((await bench.restored(large)).sum).toBe(grown.at(-1)?.sum);
    const shrunk = await clearAll(bench.path);
    expect(statSync(bench.path).size).toBeLessThan(size);
    const cleared = await bench.take(large.content);
    expect(await bench.restored(cleared)).toMatchObject({ counter: shrunk.at(-1)?.counter, sum: 0n });
    const again = await write(bench.path, { ...options, seed: 4, commits: 3, changes: 100 });
    expect((await bench.restored(await bench.take(cleared.content))).sum).toBe(again.at(-1)?.sum);
  });

  test('another file in its place is stored whole', async () => {
    await using bench = await Bench.create();
    await write(bench.path, { pageSize: 4096, seed: 1, commits: 3, changes: 50 });
    const first = await bench.take();
    await copyFile(bench.path, bench.file('other'));
    await rename(bench.file('other'), bench.path);
    expect((await bench.take(first.content)).content.layers).toHaveLength(1);
  });

  test.each([
    ['durable', 200],
    ['nometasync', 200],
    ['nosync', 200],
    ['utterly', 200],
    ['writemap', 200],
  ] as const)(
    'while a writer commits (%s, %i a second at most): each copy is one of its commits',
    async (mode, rate) => {
      await using bench = await Bench.create();
      const options = { pageSize: 4096, keys: 5_000 } as const;
      await write(bench.path, { ...options, seed: 8, commits: 60, changes: 500, mode: 'nosync' });
      await using writer = await startWriter(bench.path, { ...options, seed: 9, changes: 20, mode, rate });
      const found: { counter: bigint; sum: bigint; txnid: number }[] = [];
      let base: MdbxContent | undefined;
      for (let round = 0; round < 6; round++) {
        const taken: Taken = await bench.take(round === 3 ? undefined : base);
        base = taken.content;
        found.push({ ...(await bench.restored(taken)), txnid: taken.content.txnid });
      }
      await writer.stop();
      const committed = new Map(writer.commits.map(({ txnid, counter, sum }) => [Number(txnid), { counter, sum }]));
      // The first may be of before the writer.
      for (const { txnid, counter, sum } of found.slice(1)) expect({ counter, sum }).toEqual(committed.get(txnid));
      expect(new Set(found.map(({ counter }) => counter)).size).toBeGreaterThan(1);
    },
  );

  test('commits while it reads, so that pages it has read or is to read are used again: it takes the newer ones', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, keys: 3_000, mode: 'nosync' } as const;
    await write(bench.path, { ...options, seed: 1, commits: 50, changes: 400 });
    let last = '';
    let commits = 0;
    const open = reading((read) => {
      // At each seventh read until there were 60: pages are freed, used again and overwritten many times over.
      if (read < 20 || read % 7 !== 0 || commits === 60) return;
      commits += 1;
      last = commitNow(bench.path, { ...options, seed: 100 + read, commits: 2, changes: 60 });
    });
    const taken = await bench.take(undefined, { open });
    expect(commits).toBeGreaterThan(5);
    const { counter, sum } = await bench.restored(taken);
    expect(last).toBe(`${taken.content.txnid} ${counter} ${sum}`);
    const increment = await bench.take(taken.content);
    expect((await bench.restored(increment)).sum).toBe(sum);
  });

  test('half of a page is of before and half of after a write: never believed', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, keys: 3_000, mode: 'nosync' } as const;
    await write(bench.path, { ...options, seed: 1, commits: 50, changes: 400 });
    // Snapshots of the file, so that a read can mix two states of the same page.
    await copyFile(bench.path, bench.file('earlier'));
    let last = '';
    for (let round = 0; round < 6; round++) {
      last = commitNow(bench.path, { ...options, seed: 50 + round, commits: 3, changes: 200 });
    }
    await copyFile(bench.path, bench.file('later'));
    await copyFile(bench.file('earlier'), bench.path);
    const earlier = openSync(bench.file('earlier'), 'r');
    const later = openSync(bench.file('later'), 'r');
    // First all is as it was; then, commits later, each read is old in its first half and new in its second; when the
    // first pass is over all is new.
    let phase: 'old' | 'mixed' | 'new' = 'old';
    let reads = 0;
    const open: OpenBytes = (path) => ({
      ...openBytes(path),
      read(buffer, position) {
        if (position >= 3 * 4096) reads += 1;
        if (phase === 'old' && reads > 2) phase = 'mixed';
        const [before, after] = { old: [earlier, earlier], mixed: [earlier, later], new: [later, later] }[phase];
        if (before === undefined || after === undefined) throw new Error('no file');
        // Metas are written when all is.
        const middle = position < 3 * 4096 ? 0 : Math.floor(buffer.length / 2);
        return (
          readSync(before, buffer, 0, middle, position) +
          readSync(after, buffer, middle, buffer.length - middle, position + middle)
        );
      },
    });
    const now = () => {
      phase = 'new';
      return Date.now();
    };
    const taken = await bench.take(undefined, { open, clock: { now } });
    closeSync(earlier);
    closeSync(later);
    const { counter, sum } = await bench.restored(taken);
    expect(last).toBe(`${taken.content.txnid} ${counter} ${sum}`);
  });

  test('a writer that is faster each time: a clear failure', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, keys: 1_000, mode: 'nosync' } as const;
    await write(bench.path, { ...options, seed: 1, commits: 20, changes: 200 });
    const open = reading((read) => {
      if (read % 12 === 0) commitNow(bench.path, { ...options, seed: read, commits: 1, changes: 50 });
    });
    await expect(bench.take(undefined, { open, passes: 4 })).rejects.toMatchObject({
      code: 'not-converged',
      advice: expect.stringContaining('mdbx_copy'),
    });
    // Left to itself it takes another way, where there is one.
    const taken = await bench.take((await bench.take()).content, { open, passes: 4, method: 'auto', mdbxCopy });
    expect(taken.method).toBe('mdbx_copy');
    await bench.restored(taken);
  });

  test('pages that carry no transaction number: refused alive, copied by another method', async () => {
    await using bench = await Bench.create();
    const commits = await write(bench.path, { pageSize: 4096, seed: 5, commits: 20, changes: 100 });
    withoutNumbers(bench.path, 4096);
    await expect(bench.take()).rejects.toMatchObject({ code: 'method', advice: expect.stringContaining('mdbx_copy') });
    for (const method of ['mdbx_copy', 'offline'] as const) {
      const first = await bench.take(undefined, { method, mdbxCopy });
      const again = await bench.take(first.content, { method, mdbxCopy });
      expect((await bench.restored(again)).sum).toBe(commits.at(-1)?.sum);
    }
  });

  test('metas that were not synced count on the same boot, and not after another', async () => {
    await using bench = await Bench.create();
    const options = { pageSize: 4096, mode: 'durable' } as const;
    const durable = await write(bench.path, { ...options, seed: 5, commits: 1, changes: 100 });
    const fd = openSync(bench.path, 'r+');
    const metas = [0, 1, 2].map((slot) => {
      const meta = Buffer.alloc(244);
      readSync(fd, meta, 0, 244, slot * 4096);
      return meta;
    });
    const newest = metas.reduce((a, b) => (a.readUInt32LE(28) > b.readUInt32LE(28) ? a : b));
    const slot = metas.indexOf(newest);
    // As a process leaves it that did not sync: of this boot, weak. The boot's id is libmdbx's own, from another commit.
    writeSync(fd, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 0, 8, slot * 4096 + 188);
    const taken = await bench.take();
    expect((await bench.restored(taken)).sum).toBe(durable[0]?.sum);
    writeSync(fd, Buffer.alloc(16, 7), 0, 16, slot * 4096 + 212);
    closeSync(fd);
    // The one before it is empty: nothing was committed durably.
    expect((await bench.take()).content.txnid).toBeLessThan(taken.content.txnid);
  });

  test('damage is refused, and named', async () => {
    await using bench = await Bench.create();
    await write(bench.path, { pageSize: 4096, seed: 5, commits: 20, changes: 100 });
    const bytes = readFileSync(bench.path);
    const { content } = await bench.take();
    const root = Buffer.from(content.meta, 'base64').readUInt32LE(116);
    const broken = Buffer.from(bytes);
    broken.fill(0xee, root * 4096 + 20, root * 4096 + 84);
    await writeFile(bench.path, broken);
    await expect(bench.take()).rejects.toMatchObject({ code: 'structure', subject: `page ${root}` });
    await writeFile(bench.path, bytes);
    await truncate(bench.path, 40 * 4096);
    await expect(bench.take()).rejects.toMatchObject({ code: 'structure' });
  });

  test('a page that the disk cannot read: refused, with where', async () => {
    await using bench = await Bench.create();
    await write(bench.path, { pageSize: 4096, seed: 5, commits: 20, changes: 100 });
    const open = reading((_read, buffer, position) => {
      if (position <= 40 * 4096 && position + buffer.length > 40 * 4096) {
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      }
    });
    await expect(bench.take(undefined, { open })).rejects.toThrow('EIO');
  });

  test.each([
    ['text', Buffer.alloc(100_000, 'text ')],
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(100_000)],
  ])('a file of %s is no environment', async (_name, bytes) => {
    await using bench = await Bench.create();
    await writeFile(bench.path, bytes);
    await expect(bench.take()).rejects.toMatchObject({ code: 'not-mdbx' });
  });

  test('data of a version that is not known', async () => {
    await using bench = await Bench.create();
    await write(bench.path, { pageSize: 4096, seed: 5, commits: 1, changes: 10 });
    const fd = openSync(bench.path, 'r+');
    for (let slot = 0; slot < 3; slot++) writeSync(fd, Buffer.from([9]), 0, 1, slot * 4096 + 20);
    closeSync(fd);
    await expect(bench.take()).rejects.toMatchObject({
      code: 'not-mdbx',
      message: expect.stringContaining('version 9'),
    });
  });

  test('the live file is opened only to be read, and nothing is locked', async () => {
    await using bench = await Bench.create();
    await write(bench.path, { pageSize: 4096, seed: 5, commits: 20, changes: 100 });
    const seen: { flags: number; locks: number; lockFile: boolean }[] = [];
    const open = reading((read) => {
      if (read !== 20) return;
      const table = readFileSync('/proc/locks', 'utf8');
      const fds = readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          return [{ fd, path: readlinkSync(`/proc/self/fd/${fd}`) }];
        } catch {
          return [];
        }
      });
      for (const { fd, path } of fds) {
        if (!path.startsWith(bench.path)) continue;
        const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
        const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '', 8);
        const locks = table.split('\n').filter((line) => line.includes(` ${process.pid} `)).length;
        seen.push({ flags: flags & 3, locks, lockFile: path.endsWith('-lck') });
      }
    });
    await bench.take(undefined, { open });
    expect(seen).toEqual([{ flags: 0, locks: 0, lockFile: false }]);
  });
});
