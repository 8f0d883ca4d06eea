import type { ListedEntry } from './port.ts';

export interface ListPage {
  /** Once, each read from the text when it is asked for: objects, then prefixes. */
  readonly entries: Iterable<ListedEntry>;
  readonly truncated: boolean;
  /** Where the next page begins. */
  readonly token: string | undefined;
}

/**
 * A ListBucketResult by its flat shape. A page has a thousand entries and is read thousands of times: the SDK's parser and models
 * took seven times as long as the request. References to characters that XML 1.0 does not allow are read, since keys may hold
 * them and servers write them.
 * @returns undefined when the text is no whole answer to ListObjectsV2
 */
export function readListPage(text: string): ListPage | undefined {
  const root = text.indexOf('<ListBucketResult');
  if (root < 0 || !text.includes('</ListBucketResult>', root)) return undefined;
  const token = member(text, 'NextContinuationToken');
  return { entries: entriesOf(text), truncated: member(text, 'IsTruncated')?.trim() === 'true', token };
}

function* entriesOf(text: string): Generator<ListedEntry> {
  const prefixes: ListedEntry[] = [];
  for (const [, contents, common = ''] of text.matchAll(
    /<Contents>(.*?)<\/Contents>|<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs,
  )) {
    if (contents === undefined) {
      const prefix = member(common, 'Prefix');
      if (prefix !== undefined) prefixes.push({ kind: 'prefix', prefix });
      continue;
    }
    const key = member(contents, 'Key');
    if (key === undefined) continue;
    const time = Date.parse(member(contents, 'LastModified') ?? '');
    yield {
      kind: 'object',
      key,
      size: Number(member(contents, 'Size') ?? 0),
      modified: Number.isNaN(time) ? undefined : time,
      etag: (member(contents, 'ETag') ?? '').replace(/^(?:W\/)?"|"$/g, ''),
    };
  }
  yield* prefixes;
}

/** The text of a member that holds nothing but text; `<` never stands in text as it is. */
function member(xml: string, name: string): string | undefined {
  const begin = xml.indexOf(`<${name}>`);
  if (begin < 0) return xml.includes(`<${name}/>`) ? '' : undefined;
  const from = begin + name.length + 2;
  const end = xml.indexOf('<', from);
  return end < 0 ? undefined : decoded(xml.slice(from, end));
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return named[name] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}
