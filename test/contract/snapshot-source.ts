import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BackupError } from '../../src/backup/index.ts';
import type { Content, SnapshotSource, Stored } from '../../src/backup/source/port.ts';
import { MemoryRepository } from '../support/memory-repository.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

/** What the contract needs of a kind of source. */
export interface SourceUnderTest {
  /** The source at `path`; copies, if it makes any, go to `scratch`. */
  open(path: string, scratch: string): SnapshotSource;
  /** Fills `path` with some MiB. */
  create(path: string): Promise<void>;
  /** A small change. */
  change(path: string): Promise<void>;
  /** Tells what a path holds: equal texts, equal content. Throws where it holds nonsense. */
  describe(path: string): Promise<string>;
  restore(content: Content, store: MemoryRepository, target: string): Promise<unknown>;
}

/** What every snapshot source must do. */
export function describeSnapshotSource(name: string, subject: SourceUnderTest): void {
  describe(`${name}: a snapshot source`, { timeout: 60_000 }, () => {
    let directory: TemporaryDirectory;
    let path: string;
    let source: SnapshotSource;
    let repository: MemoryRepository;

    beforeEach(async () => {
      directory = await temporaryDirectory('source');
      path = join(directory.path, 'source');
      await subject.create(path);
      source = subject.open(path, directory.path);
      repository = new MemoryRepository();
    });
    afterEach(() => directory.remove());

    async function snapshot(base?: Content, signal?: AbortSignal): Promise<Stored> {
      await using frozen = await source.freeze({ base, store: repository, signal });
      return await frozen.store(repository);
    }
    const restored = async (content: Content, to: string): Promise<string> => {
      const target = join(directory.path, to);
      await subject.restore(content, repository, target);
      return subject.describe(target);
    };
    const names = async () => (await readdir(directory.path)).sort();

    test('stores all of it, and what is restored is the same', async () => {
      const before = Date.now();
      const { content, read, time } = await snapshot();
      expect(content.kind).toBe(source.kind);
      expect(read).toBeGreaterThan(0);
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(Date.now());
      expect(await restored(content, 'target')).toBe(await subject.describe(path));
    });

    test('upon a base, stores and reads what changed, and both states can be restored', async () => {
      const first = await snapshot();
      const [then, all] = [await subject.describe(path), repository.added];
      await subject.change(path);
      const second = await snapshot(first.content);
      expect(repository.added - all).toBeLessThan(all / 4);
      expect(repository.added - all).toBeGreaterThan(0);
      expect(second.read).toBeLessThan(first.read / 2);
      expect(await restored(second.content, 'new')).toBe(await subject.describe(path));
      expect(await restored(first.content, 'old')).toBe(then);
      expect(await subject.describe(path)).not.toBe(then);
    });

    test('stores nothing of what did not change', async () => {
      const first = await snapshot();
      const all = repository.added;
      const second = await snapshot(first.content);
      expect(repository.added).toBe(all);
      expect(await restored(second.content, 'target')).toBe(await subject.describe(path));
    });

    test('stores all of it where the base is of another source', async () => {
      const other = join(directory.path, 'other');
      await subject.create(other);
      await using frozen = await subject
        .open(other, directory.path)
        .freeze({ base: undefined, store: repository, signal: undefined });
      const { content: base } = await frozen.store(repository);
      const { content } = await snapshot(base);
      expect(await restored(content, 'target')).toBe(await subject.describe(path));
    });

    test('changes nothing of what it reads, and leaves no copy behind', async () => {
      // Describing comes first: the program that does it may leave a lock file of its own.
      const content = await subject.describe(path);
      const before = await names();
      await snapshot();
      expect(await names()).toEqual(before);
      expect(await subject.describe(path)).toBe(content);
    });

    test('fails with what the sink failed with, and leaves no copy behind', async () => {
      const before = await names();
      repository.onAdd = () => {
        throw new Error('the sink is full');
      };
      await expect(snapshot()).rejects.toThrow('the sink is full');
      expect(await names()).toEqual(before);
    });

    test('ends when it is told to', async () => {
      const controller = new AbortController();
      repository.onAdd = () => controller.abort(new Error('enough'));
      const before = await names();
      // What is small may be done before it is asked again.
      await snapshot(undefined, controller.signal).catch((error: unknown) => expect(String(error)).toContain('enough'));
      controller.abort(new Error('enough'));
      await expect(snapshot(undefined, controller.signal)).rejects.toThrow('enough');
      expect(await names()).toEqual(before);
    });

    test('says of a path that is not there that it cannot be read', async () => {
      source = subject.open(join(directory.path, 'nowhere'), directory.path);
      const failure = await snapshot().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(BackupError);
      expect(failure).toMatchObject({ code: 'source' });
    });
  });
}
