/** Where the pages of layers go, against writing layer after layer over each other as the format says it. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placedPages } from '../../src/backup/mdbx/placed-pages.ts';
import type { Layer } from '../../src/backup/repository/model.ts';
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

test('every page is written once, in its newest form', { timeout: 120_000 }, async () => {
  await using directory = await temporaryDirectory('placed');
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 4 }), async (layers) => {
      const repository = new MemoryRepository();
      const refs = [];
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

      const placed = await placedPages(repository, refs, END);
      const written = placed.flatMap(({ pieces }) =>
        Array.from({ length: pieces.length / 3 }, (_, index) => pieces.subarray(index * 3, index * 3 + 3)),
      );
      const pages = written.flatMap(([first = 0, from = 0, count = 0]) =>
        from === 0xffff_ffff ? [] : Array.from({ length: count }, (_, index) => first + index),
      );
      expect(new Set(pages).size).toBe(pages.length);
      expect(Math.max(0, ...pages)).toBeLessThan(END);

      const path = join(directory.path, 'file');
      const file = await open(path, 'w');
      await file.truncate(END * PAGE);
      // Any order is as good as another.
      await collect(repository.write(placed.toReversed(), { descriptor: file.fd, pageSize: PAGE }));
      await file.close();
      const result = await readFile(path);
      expect(result.length).toBe(END * PAGE);
      for (let page = 3; page < END; page++) {
        if (freed.has(page)) continue;
        const expected = model[page] ?? Buffer.alloc(PAGE);
        expect(result.subarray(page * PAGE, (page + 1) * PAGE).equals(expected), `page ${page}`).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
