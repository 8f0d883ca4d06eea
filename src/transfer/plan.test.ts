import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileNameRefusal, fileNameRefusals } from './directory-names.ts';
import { TransferError } from './errors.ts';
import { compareKeys } from './keys.ts';
import type { Listed } from './place.ts';
import { planTransfer } from './plan.ts';

const none = { refusal: () => undefined, settled: () => false };

async function* listing(entries: Iterable<Listed>) {
  yield* entries;
}

const object = (key: string, etag: string | undefined, size = 1): Listed => ({
  kind: 'object',
  key,
  size,
  modified: 0,
  etag,
  version: etag ?? 'v',
});

const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
const side = fc.uniqueArray(fc.record({ key, etag: fc.constantFrom('aa', 'bb', 'cc-2'), size: fc.nat(2) }), {
  selector: (entry) => entry.key,
});

const sorted = (entries: readonly { key: string; etag: string; size: number }[]) =>
  [...entries].sort((a, b) => compareKeys(a.key, b.key)).map((entry) => object(entry.key, entry.etag, entry.size));

describe('planTransfer', () => {
  test('plans each key of the source once, and skips exactly what is equal', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, async (left, right) => {
        const plan = await planTransfer(listing(sorted(left)), listing(sorted(right)), none);
        expect(plan.actions.map((action) => action.object.key).sort()).toEqual(left.map((entry) => entry.key).sort());
        const there = new Map(right.map((entry) => [entry.key, entry]));
        for (const { kind, object: planned } of plan.actions) {
          const found = there.get(planned.key);
          const equal = found !== undefined && found.size === planned.size && found.etag === planned.etag;
          expect(kind).toBe(equal ? 'skip' : 'copy');
        }
        const here = new Set(left.map((entry) => entry.key));
        const only = right.map((entry) => entry.key).filter((each) => !here.has(each));
        expect([...plan.extra].sort()).toEqual(only.sort());
      }),
    );
  });

  test('a file of the same size is compared by content, unless an earlier run settled it', async () => {
    const [here, there] = [[object('a', undefined)], [object('a', 'aa')]];
    expect((await planTransfer(listing(here), listing(there), none)).actions[0]).toMatchObject({ kind: 'compare' });
    const settled = { ...none, settled: () => true };
    expect((await planTransfer(listing(here), listing(there), settled)).actions[0]).toMatchObject({ kind: 'skip' });
  });

  test('what is no object is told and not planned', async () => {
    const odd: Listed = { kind: 'oddity', key: 'link', reason: 'a symbolic link' };
    const plan = await planTransfer(listing([odd]), listing([]), none);
    expect(plan).toMatchObject({ actions: [], oddities: [{ key: 'link' }] });
  });

  test('a listing out of order is refused, since it cannot be merged', async () => {
    const wrong = listing([object('b', 'aa'), object('a', 'aa')]);
    await expect(planTransfer(wrong, listing([]), none)).rejects.toBeInstanceOf(TransferError);
  });
});

test('compareKeys is the order of UTF-8 bytes', () => {
  const any = fc.string({ unit: 'binary', maxLength: 8 });
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(compareKeys('\uffff', '\u{10000}')).toBeLessThan(0);
});

describe('keys as file names', () => {
  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '../x',
    'a/../b',
    './a',
    'a/.',
    'a\0b',
    'x'.repeat(256),
    'é'.repeat(128),
    '\ud800',
  ])('%j is refused', (bad) => expect(fileNameRefusal(bad)).toBeTypeOf('string'));
  test.each(['a', 'a/b', '.hidden/x', 'a b', '…', '..a', 'x'.repeat(255), '100%', '~', '-rf', 'a\\b'])(
    '%j is taken as it is',
    (good) => expect(fileNameRefusal(good)).toBeUndefined(),
  );

  test('a key that is a folder of another one is found, whatever sorts between them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a!0]{1,3}(?:\/[a!0]{1,2}){0,2}$/), { maxLength: 40 }), (keys) => {
        const ask = fileNameRefusals();
        const refused = [...keys].sort(compareKeys).filter((each) => ask(each) !== undefined);
        // A key below one that is itself refused is refused too: the file it would lie under is still an object.
        const expected = keys.filter((each) => keys.some((other) => each.startsWith(`${other}/`)));
        expect(refused.sort()).toEqual(expected.sort());
      }),
    );
  });
});
