/** Where the pages of layers go, against writing layer after layer over each other as the format says it. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placedPages } from '../../src/backup/mdbx/placed-pages.ts';
import type { BlobRef, Layer, MdbxContent } from '../../src/backup/repository/model.ts';
import type { Placed } from '../../src/backup/source/port.ts';
import { MiB } from '../../src/core/sizes.ts';
import { collect } from '../support/backup.ts';
import { MemoryRepository } from '../support/memory-repository.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const PAGE = 16;
/** Pages of the environment; layers may hold some beyond them. */
const END = 80;

const run = fc.tuple(fc.integer({ min: 3, max: END + 20 }), fc.integer({ min: 1, max: 30 }));
const segment = fc.uniqueArray(run, { minLength: 1, maxLength: 5 });
const layer = fc.record({
  segments: fc.array(segment, { maxLength: 4 }),
  free: fc.array(fc.tuple(fc.integer({ min: 3, max: END + 20 }), fc.integer({ min: 1, max: 12 })), { maxLength: 2 }),
});

const interrupted = fc.record({
  layers: fc.array(layer, { minLength: 1, maxLength: 4 }),
  /** Which part of the blobs is written, and which of them are noted. */
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
  notes: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
});

test('every page ends in its newest form, interrupted or not', { timeout: 120_000 }, async () => {
  await using directory = await temporaryDirectory('placed');
  await fc.assert(
    fc.asyncProperty(interrupted, async ({ layers, cut, notes }) => {
      const repository = new MemoryRepository();
      const refs: MdbxContent['layers'] = [];
      // What the newest form of each page is; undefined: nothing is held of it, or nobody may ask for it.
      const model: (Buffer | undefined)[] = [];
      const freed = new Set<number>();
      let label = 0;
      for (const { segments, free } of layers) {
        // Free is said of the state that the layer leads to, whose pages in use it cannot name.
        const own = new Set<number>();
        const stored: Layer['segments'] = [];
        for (const runs of segments) {
          const pages = runs.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));
          const bytes = Buffer.concat(pages.map(() => Buffer.alloc(PAGE, ++label % 255 || 1)));
          for (const [index, page] of pages.entries()) {
            model[page] = bytes.subarray(index * PAGE, (index + 1) * PAGE);
            freed.delete(page);
            own.add(page);
          }
          stored.push({ runs, blob: await repository.add(bytes) });
        }
        for (const [first, count] of free) {
          for (let page = first; page < first + count; page++) if (!own.has(page)) freed.add(page);
        }
        const document = await repository.document({ version: 1, segments: stored, free } satisfies Layer);
        refs.push({ ...document, level: 0, pages: 0, stored: 0 });
      }

      const plan = (done: readonly Placed[]) => {
        const isDone = (blob: BlobRef) => done.some((one) => one.blob.pack === blob.pack);
        // Not the size of these pages, but one of which few are a region of the file.
        return placedPages({ store: repository, layers: refs, end: END, pageSize: 16 * MiB, isDone });
      };
      const path = join(directory.path, 'file');
      const file = await open(path, 'w');
      await file.truncate(END * PAGE);
      const target = { descriptor: file.fd, pageSize: PAGE };
      const all = await plan([]);
      // Interrupted: of those that were written some were noted.
      const written = all.slice(0, Math.ceil(all.length * cut));
      const noted = written.filter((_, index) => notes[index]);
      await collect(repository.write(written, target));
      const left = await plan(noted);
      expect(left).toHaveLength(all.length - noted.length);
      await collect(repository.write(left, target));
      await file.close();
      const result = await readFile(path);
      expect(result.length).toBe(END * PAGE);
      for (let page = 3; page < END; page++) {
        const expected = model[page];
        if (expected === undefined || freed.has(page)) continue;
        expect(result.subarray(page * PAGE, (page + 1) * PAGE).equals(expected), `page ${page}`).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
