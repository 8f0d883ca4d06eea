/** Pages of several packs written anew: each once, in the order of the file, from packs that are read once. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rewritten, rewrite } from '../../src/backup/layers/rewrite.ts';
import { Packer } from '../../src/backup/repository/packer.ts';
import type { SourceStore } from '../../src/backup/repository/source-store.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { clientOf, collect, freshStore } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';

const PAGE = 256;
const END = 400;

let endpoint: DisposableEndpoint;
let proxy: FaultProxy;
let client: ObjectClient;
let store: SourceStore;
beforeAll(async () => {
  endpoint = await testEndpoint();
  proxy = await startFaultProxy(endpoint);
  client = clientOf(proxy);
  store = await freshStore(client, 'node');
}, 60_000);
afterAll(async () => {
  client?.close();
  await proxy?.[Symbol.asyncDispose]();
  await endpoint?.[Symbol.asyncDispose]();
});

/** Pages in any order, of several packs of several blobs; those that count, of each once. */
const scattered = fc.record({
  packs: fc.array(
    fc.array(fc.uniqueArray(fc.nat(END - 1), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  held: fc.constantFrom(1, 4000, 1_000_000),
  open: fc.constantFrom(1, 2, 48),
});

let made = 0;
test('whatever is held at once', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scattered, async ({ packs, held, open }) => {
      const rewritten: Rewritten[] = [];
      const expected = new Map<number, Buffer>();
      for (const blobs of packs) {
        const packer = new Packer(store);
        const added: Rewritten[] = [];
        for (const pages of blobs) {
          // Not twice the same pack.
          const bytes = Buffer.concat(pages.map(() => Buffer.alloc(PAGE, `${made++} `)));
          const counts = pages.map((page, at) => {
            const first = !expected.has(page);
            if (first) expected.set(page, bytes.subarray(at * PAGE, (at + 1) * PAGE));
            return first;
          });
          const blob = await packer.add(bytes);
          const runs = pages.map((page): [number, number] => [page, 1]);
          if (counts.includes(true)) added.push({ segment: { runs, blob }, counts });
        }
        await packer.finish();
        rewritten.push(...added);
      }
      proxy.reset();
      const segments = await rewrite(store, rewritten, { pageSize: PAGE, end: END, held, open });
      const gets = proxy.requests.filter(({ method, url }) => method === 'GET' && url.includes('/packs/'));
      expect(gets).toHaveLength(new Set(rewritten.map(({ segment }) => segment.blob.pack)).size);
      const found = new Map<number, Buffer>();
      const order: number[] = [];
      const wanted = segments.map((what) => ({ blob: what.blob, what }));
      for (const { what, bytes } of await collect(store.blobs(wanted))) {
        let at = 0;
        for (const [first, count] of what.runs) {
          for (let page = first; page < first + count; page++, at += PAGE) {
            order.push(page);
            found.set(page, bytes.subarray(at, at + PAGE));
          }
        }
      }
      expect(order).toHaveLength(expected.size);
      for (const [page, bytes] of expected) expect(found.get(page)?.equals(bytes), `page ${page}`).toBe(true);
      if (held > 100_000) expect(order).toEqual(order.toSorted((a, b) => a - b));
    }),
    { numRuns: 60 },
  );
});
