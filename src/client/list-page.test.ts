import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readListPage } from './list-page.ts';

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
const page = (inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</ListBucketResult>`;

test('any key, size and time comes back', () => {
  const entry = fc.record({
    key: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('</Key>', '<Contents>', '&amp;', '&#x41;', ']]>', ' a '),
    ),
    size: fc.nat(),
    time: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(entry), fc.boolean(), (entries, truncated) => {
      const xml = entries.map(
        ({ key, size, time }) =>
          `<Contents>\n  <Key>${escaped(key)}</Key><LastModified>${new Date(time).toISOString()}</LastModified><ETag>&quot;e&quot;</ETag><Size>${size}</Size><Owner><ID>x</ID></Owner></Contents>`,
      );
      const read = readListPage(page(`<Prefix></Prefix><IsTruncated>${truncated}</IsTruncated>${xml.join('\n')}`));
      expect(read?.truncated).toBe(truncated);
      expect([...(read?.entries ?? [])]).toEqual(
        entries.map(({ key, size, time }) => ({ kind: 'object', key, size, modified: time, etag: 'e' })),
      );
    }),
  );
});

test('prefixes come after objects, tokens are decoded, and a reference that XML forbids is read', () => {
  const read = readListPage(
    page(
      '<NextContinuationToken>a&amp;b</NextContinuationToken><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Contents><Key>k&#x1;</Key><Size>1</Size></Contents>',
    ),
  );
  expect({ ...read, entries: [...(read?.entries ?? [])] }).toEqual({
    token: 'a&b',
    truncated: false,
    entries: [
      { kind: 'object', key: 'k\u0001', size: 1, modified: undefined, etag: '' },
      { kind: 'prefix', prefix: 'p/' },
    ],
  });
});

test.each(['', '<html>no</html>', '<ListBucketResult><Contents>', '<Error><Code>X</Code></Error>'])(
  '%j is no page',
  (text) => expect(readListPage(text)).toBeUndefined(),
);
