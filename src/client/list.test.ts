import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listEntries } from './list.ts';
import type { ListPage } from './list-page.ts';
import type { ListedEntry } from './port.ts';

/** A listing of `keys` in pages of `size`; what it was asked is in `asked`. */
function pages(keys: readonly string[], size: number) {
  const asked: string[] = [];
  const page = async (query: string): Promise<ListPage> => {
    asked.push(query);
    const from = Number(/continuation-token=(\d+)/.exec(query)?.[1] ?? 0);
    const to = from + size;
    const entries = keys
      .slice(from, to)
      .map((key): ListedEntry => ({ kind: 'object', key, size: 1, modified: undefined, etag: '' }));
    const truncated = to < keys.length;
    return { entries: entries.values(), truncated, token: truncated ? String(to) : undefined };
  };
  return { page, asked };
}

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);

test('every entry comes once, in order, whatever the size of a page', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 20 }), async (count, size) => {
      const { page, asked } = pages(keysOf(count), size);
      const found: string[] = [];
      for await (const entry of listEntries(page, { bucket: 'b' })) if (entry.kind === 'object') found.push(entry.key);
      expect(found).toEqual(keysOf(count));
      expect(asked).toHaveLength(Math.max(1, Math.ceil(count / size)));
    }),
  );
});

test('the next page is asked for from the second entry on, and not for one entry', async () => {
  const { page, asked } = pages(keysOf(2500), 1000);
  const entries = listEntries(page, { bucket: 'b', prefix: 'k&', delimiter: '/', startAfter: 'a' });
  await entries.next();
  await setImmediate();
  const first = 'list-type=2&prefix=k%26&delimiter=%2F&start-after=a';
  expect(asked).toEqual([first]);
  await entries.next();
  expect(asked).toEqual([first, `${first}&continuation-token=1000`]);
  await entries.return(undefined);
  expect(asked).toHaveLength(2);
});

test('who asks for small pages wants no more than they hold', async () => {
  const { page, asked } = pages(keysOf(10), 2);
  const entries = listEntries(page, { bucket: 'b', pageSize: 2 });
  await entries.next();
  await entries.next();
  expect(asked).toEqual(['list-type=2&max-keys=2']);
  await entries.next();
  expect(asked).toEqual(['list-type=2&max-keys=2', 'list-type=2&max-keys=2&continuation-token=2']);
});

test('a page that fails fails in its turn, after the entries before it', async () => {
  const { page } = pages(keysOf(4), 2);
  const failing = (query: string) => (query.includes('token') ? Promise.reject(new Error('broke')) : page(query));
  const found: string[] = [];
  const reading = (async () => {
    for await (const entry of listEntries(failing, { bucket: 'b' })) if (entry.kind === 'object') found.push(entry.key);
  })();
  await expect(reading).rejects.toThrow('broke');
  expect(found).toEqual(['k0', 'k1']);
});

test.each([undefined, 'same'])('a truncated page that leads nowhere is refused: token %j', async (token) => {
  const page = async (): Promise<ListPage> => ({ entries: [], truncated: true, token });
  const all = async () => {
    for await (const _ of listEntries(page, { bucket: 'b' }));
  };
  await expect(all()).rejects.toMatchObject({ code: 'protocol' });
});
