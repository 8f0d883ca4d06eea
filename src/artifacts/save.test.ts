import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open as openFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemErrorCode } from '../core/errors.ts';
import { MiB } from '../core/sizes.ts';
import type { FileInProgress } from '../fs/file-in-progress.ts';
import { mediaTypes } from './model.ts';
import { checkDigest } from './names.ts';
import { pull } from './pull.ts';
import { type OpenRange, type RangedRead, readRanges } from './ranges.ts';
import { saveRanges } from './save.ts';
import type { ArtifactSource } from './source.ts';

const stored = randomBytes(9 * MiB + 7);
const digest = checkDigest(`sha256:${createHash('sha256').update(stored).digest('hex')}`);
const CHUNK = 64 * 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-save-'));
  await writeFile(join(directory, 'file'), 'as it was');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Endpoint {
  /** What it holds. Default: what was pushed. */
  readonly bytes?: Buffer;
  /** Called before each chunk of a range that was asked for from `start` on. */
  readonly before?: (start: number, position: number) => Promise<void> | void;
}

const reset = () => Object.assign(new Error('cut'), { code: 'ECONNRESET' });

/** Ranges of bytes, and where each that was asked for began. */
function endpoint({ bytes = stored, before }: Endpoint = {}) {
  const starts: number[] = [];
  const open: OpenRange = async (start, end) => {
    starts.push(start);
    return (async function* () {
      const stop = Math.min(end + 1, bytes.length);
      for (let position = start; position < stop; position += CHUNK) {
        await before?.(start, position);
        yield bytes.subarray(position, Math.min(stop, position + CHUNK));
      }
    })();
  };
  return { open, starts };
}

interface Options {
  readonly signal?: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
  readonly target?: string;
}

function pulling(open: OpenRange, options: Options = {}) {
  const read: RangedRead = {
    content: { digest, size: stored.length },
    subject: 'the content',
    open,
    mayPass: (error) => systemErrorCode(error) !== undefined,
    signal: options.signal,
  };
  const source: ArtifactSource = {
    read: () => readRanges(read),
    save: (_artifact, file, { onProgress } = {}) => saveRanges(read, file, onProgress),
    resolve: () => Promise.reject(new Error('not asked')),
    requireSignature: () => Promise.reject(new Error('not asked')),
  };
  const artifact = {
    digest,
    name: 'n',
    version: '1',
    kind: 'file',
    content: { digest, size: stored.length, mediaType: mediaTypes.file, title: 'file' },
    labels: {},
    created: '2026-01-01T00:00:00Z',
  };
  return pull(source, { artifact, target: join(directory, 'file'), ...options });
}

async function expectUntouched(): Promise<void> {
  expect(await readdir(directory)).toEqual(['file']);
  expect(await readFile(join(directory, 'file'), 'utf8')).toBe('as it was');
}

async function expectWhole(): Promise<void> {
  expect(await readdir(directory)).toEqual(['file']);
  expect((await readFile(join(directory, 'file'))).equals(stored)).toBe(true);
}

/** Where the ranges begin when nothing goes wrong. */
async function startsOfRanges(): Promise<number[]> {
  const { open, starts } = endpoint();
  await pulling(open);
  await writeFile(join(directory, 'file'), 'as it was');
  return starts;
}

test('ranges that come in the opposite order make the same file, and progress counts each byte once', async () => {
  const ends: number[] = [];
  let progress = 0;
  const { open, starts } = endpoint({
    // The first range waits for the others.
    before: async (start, position) => {
      for (let turn = 0; start === 0 && position > 0 && ends.length < 2 && turn < 500; turn += 1) await sleep(10);
    },
  });
  const noted: OpenRange = async (start, end, signal) => {
    const body = await open(start, end, signal);
    return (async function* () {
      yield* body;
      ends.push(start);
    })();
  };
  await pulling(noted, {
    onProgress: (bytes) => {
      progress += bytes;
    },
  });
  await expectWhole();
  expect(starts.length).toBeGreaterThan(2);
  expect(ends.indexOf(0)).toBeGreaterThanOrEqual(2);
  expect(progress).toBe(stored.length);
});

test('a connection that breaks in any range is taken up again where it broke', async () => {
  const ranges = await startsOfRanges();
  for (const broken of ranges) {
    // In its third chunk; the last range has only one.
    const at = broken + 2 * CHUNK < stored.length ? broken + 2 * CHUNK : broken;
    let breaks = 0;
    const { open, starts } = endpoint({
      before(_start, position) {
        if (position !== at || breaks > 0) return;
        breaks += 1;
        throw reset();
      },
    });
    await pulling(open);
    await expectWhole();
    expect([...starts].sort((one, other) => one - other)).toEqual([...ranges, at].sort((one, other) => one - other));
  }
}, 30_000);

test('a failure that cannot pass ends all ranges at once and leaves nothing', async () => {
  for (const broken of await startsOfRanges()) {
    const { open, starts } = endpoint({
      before(start) {
        if (start === broken) throw new Error('refused');
      },
    });
    await expect(pulling(open)).rejects.toThrow('refused');
    await expectUntouched();
    expect(starts.filter((start) => start === broken)).toHaveLength(1);
  }
}, 30_000);

test('an object that is longer, shorter, or other in any range is refused, and leaves nothing', async () => {
  const altered = (await startsOfRanges()).map((start) => {
    const bytes = Buffer.from(stored);
    bytes[start] = (bytes[start] ?? 0) ^ 1;
    return bytes;
  });
  const shorter = (await startsOfRanges()).map((start) => stored.subarray(0, start + 1));
  const longer = [Buffer.concat([stored, Buffer.from('x')]), Buffer.concat([stored, Buffer.alloc(3 * CHUNK)])];
  for (const bytes of [...altered, ...shorter.slice(0, -1), stored.subarray(0, -1), ...longer]) {
    await expect(pulling(endpoint({ bytes }).open)).rejects.toMatchObject({ code: 'content-damaged' });
    await expectUntouched();
  }
}, 60_000);

test('whoever stops in the middle finds what was there before, and nothing else', async () => {
  const stop = new AbortController();
  let progress = 0;
  const pulled = pulling(endpoint({ before: () => sleep(1) }).open, {
    signal: stop.signal,
    onProgress: (bytes) => {
      progress += bytes;
      if (progress > 2 * MiB) stop.abort(new Error('stopped'));
    },
  });
  await expect(pulled).rejects.toThrow('stopped');
  await expectUntouched();
  expect(progress).toBeLessThan(5 * MiB);
});

test('a write that fails is said, and is not tried again', async () => {
  const handle = await openFile(join(directory, 'file'), 'r');
  const { open, starts } = endpoint();
  const file: FileInProgress = {
    temporary: join(directory, 'file'),
    write: async (bytes, position) => void (await handle.write(bytes, 0, bytes.length, position)),
    writePieces: async (pieces, position) => void (await handle.writev([...pieces], position)),
    commit: () => Promise.reject(new Error('not whole')),
    discard: () => handle.close(),
  };
  const content = { digest, size: stored.length };
  // Whoever took it for a broken connection would try again.
  const saved = saveRanges({ content, subject: 'the content', open, mayPass: () => true }, file);
  await expect(saved).rejects.toMatchObject({ code: 'target', message: expect.stringContaining('EBADF') });
  expect(new Set(starts).size).toBe(starts.length);
  await file.discard();
  await expectUntouched();
});
