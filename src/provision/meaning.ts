import { type Attribute, type BucketConfiguration, canonicalPolicy, type PolicyDocument } from '../bucket/index.ts';

/** One thing about an attribute, as it is printed: `logs.expireDays`, `30`. */
export type Entry = readonly [path: string, text: string];

/**
 * An attribute's value as text that is equal when the meaning is: what plans compare, what saved plans hold. Values come
 * from the manifest or the client, which both canonicalise lists and rules.
 */
export function meaningOf<A extends Attribute>(attribute: A, value: BucketConfiguration[A] | undefined): string {
  if (value === undefined) return '';
  return attribute === 'policy' && isPolicy(value) ? stable(canonicalPolicy(value)) : stable(value);
}

const isPolicy = (value: unknown): value is PolicyDocument =>
  typeof value === 'object' && value !== null && 'Statement' in value;

/** JSON with sorted keys and without what is undefined. */
export function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => stable(entry)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${stable(member)}`);
  return `{${members.join(',')}}`;
}

/** A value attribute by attribute, in the words of the manifest's reader. */
export function entriesOf(attribute: Attribute, value: unknown): readonly Entry[] {
  if (value === undefined) return [];
  if (attribute === 'policy' && isPolicy(value)) {
    const statements = canonicalPolicy(value);
    return statements.flatMap(({ sid, ...rest }, index) => {
      const anonymous = statements.slice(0, index).filter((other) => other.sid === undefined).length + 1;
      return plain(`[${sid ?? `statement ${anonymous}`}]`, rest, true);
    });
  }
  if (attribute === 'lifecycle' && Array.isArray(value)) {
    return value.flatMap((rule: unknown) => {
      const { id, ...rest } = asRecord(rule);
      return plain(`[${String(id)}]`, rest, true);
    });
  }
  return plain('', value, false);
}

/** @param terse whether empty members (no prefix, no tags) are left out */
function plain(path: string, value: unknown, terse: boolean): Entry[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    if (terse && value.length === 0) return [];
    if (value.every((entry) => typeof entry !== 'object')) return [[path, JSON.stringify(value)]];
    return value.flatMap((entry: unknown, index) => plain(`${path}[${index}]`, entry, terse));
  }
  if (typeof value !== 'object' || value === null) {
    return terse && value === '' ? [] : [[path, JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, member]) => plain(path === '' ? key : `${path}.${key}`, member, terse));
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

export interface DiffLine {
  readonly sign: '+' | '-' | '~';
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What differs between two values of one attribute, line by line, in the order of the new one. */
export function diffOf(attribute: Attribute, before: unknown, after: unknown): readonly DiffLine[] {
  const old = new Map(entriesOf(attribute, before));
  const now = new Map(entriesOf(attribute, after));
  const lines: DiffLine[] = [];
  for (const [path, text] of now) {
    const was = old.get(path);
    if (was === undefined) lines.push({ sign: '+', path, before: undefined, after: text });
    else if (was !== text) lines.push({ sign: '~', path, before: was, after: text });
  }
  for (const [path, text] of old) {
    if (!now.has(path)) lines.push({ sign: '-', path, before: text, after: undefined });
  }
  return lines;
}
