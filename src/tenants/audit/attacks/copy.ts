import type { Attack, AttackContext } from '../model.ts';

const escapeKey = (key: string) => key.split('/').map(encodeURIComponent).join('/');

/** Ways to name the victim's object as the source of a copy. */
const sources: readonly (readonly [trick: string, (context: AttackContext) => string])[] = [
  ['as it is', ({ victim }) => `${victim.bucket}/${escapeKey(victim.key)}`],
  ['with a slash before', ({ victim }) => `/${victim.bucket}/${escapeKey(victim.key)}`],
  ['all encoded', ({ victim }) => encodeURIComponent(`${victim.bucket}/${victim.key}`)],
  ['the version null', ({ victim }) => `${victim.bucket}/${escapeKey(victim.key)}?versionId=null`],
  ['slashes encoded', ({ victim }) => `${victim.bucket}/${encodeURIComponent(victim.key)}`],
];

const climbing = ({ own, victim }: AttackContext) => `${own.bucket}/${own.prefix}../${escapeKey(victim.key)}`;
const climbingEncoded = ({ own, victim }: AttackContext) => `${own.bucket}/${own.prefix}..%2f${escapeKey(victim.key)}`;

const partOf = ({ own }: AttackContext, number: number) =>
  `partNumber=${number}&uploadId=${encodeURIComponent(own.uploadId)}`;

export const copyAttacks: readonly Attack[] = [
  ...sources.flatMap(([trick, source]): readonly Attack[] => [
    {
      operation: 'CopyObject',
      trick: `to oneself, ${trick}`,
      expect: 'denied',
      request: (context) => ({
        method: 'PUT',
        bucket: context.own.bucket,
        key: `${context.own.folder}stolen`,
        query: '',
        headers: { 'x-amz-copy-source': source(context) },
      }),
    },
    {
      operation: 'UploadPartCopy',
      trick: `to oneself, ${trick}`,
      expect: 'denied',
      request: (context) => ({
        method: 'PUT',
        bucket: context.own.bucket,
        key: context.own.uploadKey,
        query: partOf(context, 2),
        headers: { 'x-amz-copy-source': source(context) },
      }),
    },
  ]),
  ...[climbing, climbingEncoded].flatMap((source): readonly Attack[] => [
    {
      operation: 'CopyObject',
      trick: `to oneself, ${source === climbing ? '../' : '..%2f'} behind the own prefix`,
      expect: 'nothing',
      when: 'same-bucket',
      request: (context) => ({
        method: 'PUT',
        bucket: context.own.bucket,
        key: `${context.own.folder}stolen`,
        query: '',
        headers: { 'x-amz-copy-source': source(context) },
      }),
    },
    {
      operation: 'UploadPartCopy',
      trick: `to oneself, ${source === climbing ? '../' : '..%2f'} behind the own prefix`,
      expect: 'nothing',
      when: 'same-bucket',
      request: (context) => ({
        method: 'PUT',
        bucket: context.own.bucket,
        key: context.own.uploadKey,
        query: partOf(context, 3),
        headers: { 'x-amz-copy-source': source(context) },
      }),
    },
  ]),
  {
    operation: 'UploadPartCopy',
    trick: 'to oneself, a range',
    expect: 'denied',
    request: (context) => ({
      method: 'PUT',
      bucket: context.own.bucket,
      key: context.own.uploadKey,
      query: partOf(context, 2),
      headers: {
        'x-amz-copy-source': `${context.victim.bucket}/${escapeKey(context.victim.key)}`,
        'x-amz-copy-source-range': 'bytes=0-3',
      },
    }),
  },
  {
    operation: 'UploadPartCopy',
    trick: "an own object into the victim's upload",
    expect: 'denied',
    request: ({ own, victim }) => ({
      method: 'PUT',
      bucket: victim.bucket,
      key: victim.uploadKey,
      query: `partNumber=1&uploadId=${encodeURIComponent(victim.uploadId)}`,
      headers: { 'x-amz-copy-source': `${own.bucket}/${escapeKey(own.key)}` },
    }),
  },
  {
    operation: 'CopyObject',
    trick: 'to oneself, only if it is what is guessed',
    expect: 'denied',
    request: (context) => ({
      method: 'PUT',
      bucket: context.own.bucket,
      key: `${context.own.folder}stolen`,
      query: '',
      headers: {
        'x-amz-copy-source': `${context.victim.bucket}/${escapeKey(context.victim.key)}`,
        'x-amz-copy-source-if-match': '"00000000000000000000000000000000"',
      },
    }),
  },
  {
    operation: 'CopyObject',
    trick: "over the victim's key",
    expect: 'denied',
    request: ({ own, victim }) => ({
      method: 'PUT',
      bucket: victim.bucket,
      key: victim.key,
      query: '',
      headers: { 'x-amz-copy-source': `${own.bucket}/${escapeKey(own.key)}` },
    }),
  },
  {
    operation: 'CopyObject',
    trick: "the victim's key onto itself",
    expect: 'denied',
    request: ({ victim }) => ({
      method: 'PUT',
      bucket: victim.bucket,
      key: victim.key,
      query: '',
      headers: {
        'x-amz-copy-source': `${victim.bucket}/${escapeKey(victim.key)}`,
        'x-amz-metadata-directive': 'REPLACE',
      },
    }),
  },
];
