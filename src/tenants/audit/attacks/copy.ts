import type { Attack, AttackContext } from '../model.ts';

const escapeKey = (key: string) => key.split('/').map(encodeURIComponent).join('/');

/** Ways to name the victim's object as the source of a copy. */
const sources: readonly (readonly [trick: string, (context: AttackContext) => string])[] = [
  ['as it is', ({ victim }) => `${victim.bucket}/${escapeKey(victim.key)}`],
  ['with a slash before', ({ victim }) => `/${victim.bucket}/${escapeKey(victim.key)}`],
  ['all encoded', ({ victim }) => encodeURIComponent(`${victim.bucket}/${victim.key}`)],
  ['the version null', ({ victim }) => `${victim.bucket}/${escapeKey(victim.key)}?versionId=null`],
];

const climbing = ({ own, victim }: AttackContext) => `${own.bucket}/${own.prefix}../${escapeKey(victim.key)}`;

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
        query: `partNumber=2&uploadId=${encodeURIComponent(context.own.uploadId)}`,
        headers: { 'x-amz-copy-source': source(context) },
      }),
    },
  ]),
  {
    operation: 'CopyObject',
    trick: 'to oneself, ../ behind the own prefix',
    expect: 'nothing',
    when: 'same-bucket',
    request: (context) => ({
      method: 'PUT',
      bucket: context.own.bucket,
      key: `${context.own.folder}stolen`,
      query: '',
      headers: { 'x-amz-copy-source': climbing(context) },
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
