import fc from 'fast-check';

export const BUCKETS = ['one', 'two'] as const;
export const KEYS = ['a', 'a/b', 'a/c', 'a!', 'b', '\ue000', '\u{1f600}'] as const;

/** What the write or delete demands; tags that are not known before are chosen when the operation's turn has come. */
export type Demand = 'nothing' | 'absent' | 'any' | 'current' | 'other';

interface OnKey {
  readonly bucket: string;
  readonly key: string;
}
interface OnVersion extends OnKey {
  /** The so-many-th version id ever told of the key; undefined: none is named. */
  readonly version: number | undefined;
}

export type Operation =
  | { readonly kind: 'create-bucket' | 'delete-bucket'; readonly bucket: string }
  | { readonly kind: 'versioning'; readonly bucket: string; readonly status: 'Enabled' | 'Suspended' }
  | ({ readonly kind: 'put'; readonly size: number; readonly letter: string; readonly demand: Demand } & OnKey)
  | ({ readonly kind: 'delete'; readonly demand: Demand } & OnVersion)
  | ({ readonly kind: 'read' } & OnVersion)
  | ({ readonly kind: 'tag'; readonly tag: string } & OnVersion)
  | ({ readonly kind: 'copy'; readonly to: OnKey; readonly demand: Demand } & OnVersion)
  | ({ readonly kind: 'begin' } & OnKey)
  | {
      readonly kind: 'part';
      readonly upload: number;
      readonly part: number;
      readonly size: number;
      readonly letter: string;
    }
  | { readonly kind: 'complete'; readonly upload: number; readonly parts: readonly number[]; readonly demand: Demand }
  | { readonly kind: 'abort'; readonly upload: number }
  | ({ readonly kind: 'list' | 'list-versions' } & Listing)
  | { readonly kind: 'restart' }
  | { readonly kind: 'time'; readonly milliseconds: number };

export interface Listing {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
}

const bucket = fc.oneof({ weight: 5, arbitrary: fc.constant(BUCKETS[0]) }, fc.constant(BUCKETS[1]));
const key = fc.constantFrom(...KEYS.slice(0, 4), ...KEYS);
const version = fc.oneof(fc.constant(undefined), fc.nat({ max: 7 }));
const letter = fc.constantFrom('x', 'y', 'z');
/** Empty, in the index, in a file (see the test's inlineLimit), in several chunks. */
const size = fc.constantFrom(0, 1, 40, 200, 70_000);
const demand = fc.oneof(
  { weight: 4, arbitrary: fc.constant('nothing' as const) },
  fc.constantFrom('absent' as const, 'any' as const, 'current' as const, 'other' as const),
);
const onKey = fc.record({ bucket, key });
const upload = fc.nat({ max: 3 });
const part = fc.integer({ min: 1, max: 3 });
const listing = fc.record({
  bucket,
  prefix: fc.constantFrom('', 'a', 'a/', 'b', 'none'),
  delimiter: fc.constantFrom('', '/', '!'),
  limit: fc.integer({ min: 1, max: 4 }),
});

function of<K extends string, T extends object>(kind: K, fields: fc.Arbitrary<T>): fc.Arbitrary<T & { kind: K }> {
  return fields.map((value) => ({ ...value, kind }));
}

const changes = [
  { weight: 8, arbitrary: of('put', fc.record({ bucket, key, size, letter, demand })) },
  { weight: 6, arbitrary: of('delete', fc.record({ bucket, key, version, demand })) },
  { weight: 2, arbitrary: of('tag', fc.record({ bucket, key, version, tag: letter })) },
  { weight: 3, arbitrary: of('copy', fc.record({ bucket, key, version, to: onKey, demand })) },
  { weight: 2, arbitrary: of('begin', onKey) },
  { weight: 4, arbitrary: of('part', fc.record({ upload, part, size, letter })) },
  {
    weight: 3,
    arbitrary: of('complete', fc.record({ upload, parts: fc.uniqueArray(part, { minLength: 1 }), demand })),
  },
  { weight: 1, arbitrary: of('abort', fc.record({ upload })) },
  { weight: 2, arbitrary: of('versioning', fc.record({ bucket, status: fc.constantFrom('Enabled', 'Suspended') })) },
  { weight: 1, arbitrary: of('create-bucket', fc.record({ bucket })) },
  { weight: 1, arbitrary: of('delete-bucket', fc.record({ bucket })) },
];
const reads = [{ weight: 3, arbitrary: of('read', fc.record({ bucket, key, version })) }];

/** Operations that many clients may have under way at the same time. */
export const concurrentOperation: fc.Arbitrary<Operation> = fc.oneof(...changes, ...reads);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  ...changes,
  ...reads,
  { weight: 2, arbitrary: of('list', listing) },
  { weight: 3, arbitrary: of('list-versions', listing) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -5, max: 5 }).map((milliseconds) => ({ kind: 'time' as const, milliseconds })),
  },
);
