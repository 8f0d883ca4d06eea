import type { RawRequest } from '../../../client/index.ts';
import type { Attack, AttackContext, Expectation } from '../model.ts';

const percent = encodeURIComponent;

const list =
  (query: (context: AttackContext) => string) =>
  (context: AttackContext): RawRequest => ({ method: 'GET', bucket: context.victim.bucket, query: query(context) });

/** The victim's prefix without its last character: what a sloppy comparison lets through. Empty for a whole bucket. */
const partial = ({ victim }: AttackContext) => victim.prefix.slice(0, -2);

const NO_KEYS = 'no keys wanted';

/** Ceph keeps one of them, and then makes another signature of it than AWS does. */
const TWICE: Partial<Attack> = { expect: 'nothing', when: 'same-bucket', disguised: true };

/** The ways to ask for keys that are not one's own, in the words of `ListObjectsV2`. */
const prefixes: readonly (readonly [trick: string, (context: AttackContext) => string, Partial<Attack>?])[] = [
  ["the victim's prefix", ({ victim }) => `prefix=${percent(victim.prefix)}`],
  ["the victim's folder", ({ victim }) => `prefix=${percent(victim.folder)}`],
  ["the victim's very key", ({ victim }) => `prefix=${percent(victim.key)}`],
  ['no prefix', () => ''],
  ['an empty prefix', () => 'prefix='],
  ['an empty prefix with a delimiter', () => 'prefix=&delimiter=%2F'],
  ["part of the victim's prefix", (context) => `prefix=${percent(partial(context))}`],
  ['a slash', () => 'prefix=%2F'],
  ['every byte encoded', ({ victim }) => `prefix=${everyByte(victim.folder)}`],
  ['encoded twice', ({ victim }) => `prefix=${percent(everyByte(victim.folder))}`],
  ['an asterisk', () => 'prefix=*'],
  ['longer than any key', ({ victim }) => `prefix=${percent(victim.folder.padEnd(1100, 'x'))}`],
  [NO_KEYS, ({ victim }) => `prefix=${percent(victim.folder)}&max-keys=0`],
  ["a delimiter that cuts through the victim's name", ({ victim }) => `delimiter=${percent(victim.key.slice(-3))}`],
  ['an empty prefix, names encoded', () => 'prefix=&encoding-type=url'],
  ['own prefix without its slash', ({ own }) => `prefix=${percent(own.prefix.slice(0, -1))}`, { when: 'same-bucket' }],
  [
    '../ behind the own prefix',
    ({ own, victim }) => `prefix=${percent(`${own.prefix}../${victim.prefix}`)}`,
    { expect: 'nothing', when: 'same-bucket' },
  ],
  [
    "own prefix, then the victim's",
    ({ own, victim }) => `prefix=${percent(own.prefix)}&prefix=${percent(victim.folder)}`,
    TWICE,
  ],
  [
    "the victim's prefix, then the own",
    ({ own, victim }) => `prefix=${percent(victim.folder)}&prefix=${percent(own.prefix)}`,
    TWICE,
  ],
  [
    'own prefix in capitals first',
    ({ own, victim }) => `Prefix=${percent(own.prefix)}&prefix=${percent(victim.folder)}`,
    { when: 'same-bucket' },
  ],
];

/** Answered, as the prefix is the attacker's own; `more` is to make it show another's. */
const withinOwn = (
  operation: string,
  before: string,
  trick: string,
  more: (context: AttackContext) => string,
): Attack => ({
  operation,
  trick: `own prefix, ${trick}`,
  expect: 'nothing',
  when: 'same-bucket',
  request: list((context) =>
    [before, `prefix=${percent(context.own.prefix)}`, more(context)].filter((part) => part !== '').join('&'),
  ),
});

const everyByte = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

function onListing(operation: string, before: string): readonly Attack[] {
  return prefixes.map(([trick, query, more = {}]) => ({
    operation,
    trick,
    expect: 'denied' satisfies Expectation,
    anonymous: trick === 'no prefix' || trick === "the victim's prefix",
    ...more,
    request: list((context) => [before, query(context)].filter((part) => part !== '').join('&')),
  }));
}

/** Answered, as the prefix is the attacker's own; where it begins is not. */
const fromElsewhere = (operation: string, before: string, marker: string): Attack => ({
  operation,
  trick: `own prefix, from the victim's key on`,
  expect: 'nothing',
  when: 'same-bucket',
  request: list(
    ({ own, victim }) =>
      `${before === '' ? '' : `${before}&`}prefix=${percent(own.prefix)}&${marker}=${percent(victim.folder)}`,
  ),
});

export const listAttacks: readonly Attack[] = [
  ...onListing('ListObjectsV2', 'list-type=2'),
  fromElsewhere('ListObjectsV2', 'list-type=2', 'start-after'),
  ...onListing('ListObjects', ''),
  fromElsewhere('ListObjects', '', 'marker'),
  ...onListing('ListObjectVersions', 'versions='),
  fromElsewhere('ListObjectVersions', 'versions=', 'key-marker'),
  withinOwn('ListObjectsV2', 'list-type=2', "a token that names the victim's key", ({ victim }) => {
    return `continuation-token=${percent(Buffer.from(victim.folder).toString('base64'))}`;
  }),
  withinOwn('ListObjectsV2', 'list-type=2', "the victim's key itself as token", ({ victim }) => {
    return `continuation-token=${percent(victim.folder)}`;
  }),
  withinOwn('ListObjectsV2', 'list-type=2', "a semicolon and the victim's", ({ victim }) => {
    return `;prefix=${percent(victim.folder)}`;
  }),
  {
    ...withinOwn('ListObjectsV2', 'list-type=2', 'a zero byte and an asterisk', ({ own }) => {
      return `prefix=${percent(own.prefix)}%00*`;
    }),
    disguised: true,
  },
  withinOwn('ListObjectVersions', 'versions=', "from the victim's version on", ({ victim }) => {
    return `key-marker=${percent(victim.key)}&version-id-marker=null`;
  }),
  withinOwn('ListMultipartUploads', 'uploads=', 'where a prefix cannot be asked for', () => ''),
  withinOwn('ListMultipartUploads', 'uploads=', "from the victim's upload on", ({ victim }) => {
    return `key-marker=${percent(victim.folder)}&upload-id-marker=${percent(victim.uploadId.slice(0, -1))}`;
  }),
  // The word that is judged by need not be the one that is answered by.
  withinOwn('ListMultipartUploads', 'list-type=2', 'and ?uploads', () => 'uploads='),
  withinOwn('ListMultipartUploads', 'versions=', 'and ?uploads', () => 'uploads='),
  // Uploads are not counted by max-keys.
  ...onListing('ListMultipartUploads', 'uploads=').filter(
    ({ expect, trick }) => expect === 'denied' && trick !== NO_KEYS,
  ),
  {
    operation: 'ListBuckets',
    trick: "the victim's bucket among all",
    expect: 'denied',
    when: 'other-bucket',
    anonymous: true,
    request: () => ({ method: 'GET', bucket: undefined, query: '' }),
  },
];
