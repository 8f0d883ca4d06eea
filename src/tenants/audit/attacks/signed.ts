import type { RawRequest } from '../../../client/index.ts';
import { postForm, unsignedForm } from '../form.ts';
import type { Attack, AttackContext } from '../model.ts';

const SECONDS = 60;
const PLANTED = 'planted by an attacker';
const escapeKey = (key: string) => key.split('/').map(encodeURIComponent).join('/');

const presigned = (method: RawRequest['method'], query = '', body?: string): Attack => ({
  operation: 'presigned URL',
  trick: `${method}${query === '' ? '' : ` ${query}`} of the victim's key`,
  expect: 'denied',
  request: ({ victim }) => ({ method, bucket: victim.bucket, key: victim.key, query, body, presigned: SECONDS }),
});

/** A URL that is rightly the attacker's, with the victim's key put into it afterwards. */
const forged = (method: RawRequest['method'], body?: string): Attack => ({
  operation: 'presigned URL',
  trick: `${method} of an own key, turned to the victim's`,
  expect: 'denied',
  disguised: true,
  when: 'same-bucket',
  request: ({ own, victim }) => ({
    method,
    bucket: own.bucket,
    key: own.key,
    query: '',
    body,
    presigned: SECONDS,
    forgedKey: escapeKey(victim.key),
  }),
});

const planted = ({ victim }: AttackContext) => `${victim.folder}planted`;

export const signedAttacks: readonly Attack[] = [
  presigned('GET'),
  presigned('HEAD'),
  presigned('PUT', '', PLANTED),
  presigned('DELETE'),
  presigned('GET', 'acl='),
  presigned('GET', 'versionId=null'),
  forged('GET'),
  forged('PUT', PLANTED),
  forged('DELETE'),
  {
    operation: 'presigned URL',
    trick: "listing the victim's prefix",
    expect: 'denied',
    request: ({ victim }) => ({
      method: 'GET',
      bucket: victim.bucket,
      query: `list-type=2&prefix=${encodeURIComponent(victim.prefix)}`,
      presigned: SECONDS,
    }),
  },
  {
    operation: 'presigned URL',
    trick: "listing the own prefix, the victim's added afterwards",
    expect: 'denied',
    disguised: true,
    when: 'same-bucket',
    request: ({ own, victim }) => ({
      method: 'GET',
      bucket: own.bucket,
      query: `list-type=2&prefix=${encodeURIComponent(own.prefix)}`,
      presigned: SECONDS,
      forgedQuery: `prefix=${encodeURIComponent(victim.folder)}`,
    }),
  },
  {
    operation: 'presigned URL',
    trick: 'GET of an own key, turned to its ACL',
    expect: 'denied',
    disguised: true,
    request: ({ own }) => ({
      method: 'GET',
      bucket: own.bucket,
      key: own.key,
      query: '',
      presigned: SECONDS,
      forgedQuery: 'acl',
    }),
  },
  {
    operation: 'PostObject',
    trick: "over the victim's key",
    expect: 'denied',
    request: ({ victim, connection }) =>
      postForm(connection, { bucket: victim.bucket, key: victim.key, content: PLANTED }),
  },
  {
    operation: 'PostObject',
    trick: "beside the victim's key",
    expect: 'denied',
    request: (context) =>
      postForm(context.connection, { bucket: context.victim.bucket, key: planted(context), content: PLANTED }),
  },
  {
    operation: 'PostObject',
    trick: 'a form for own keys, filled in with the victim\u2019s',
    expect: 'denied',
    when: 'same-bucket',
    request: ({ own, victim, connection }) =>
      postForm(connection, { bucket: own.bucket, key: victim.key, policyKey: own.folder, content: PLANTED }),
  },
  {
    operation: 'PostObject',
    trick: 'a file that is named as the victim\u2019s key',
    expect: 'nothing',
    when: 'same-bucket',
    // Browsers' paths are cut off; where they are not, the rights to the key that comes out must be looked at.
    request: ({ own, victim, connection }) =>
      postForm(connection, {
        bucket: own.bucket,
        key: '\u0024{filename}',
        policyKey: '',
        content: PLANTED,
        fileName: victim.key,
      }),
  },
  {
    operation: 'PostObject',
    trick: '../ in the name of the file',
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim, connection }) =>
      postForm(connection, {
        bucket: own.bucket,
        key: `${own.folder}form/\${filename}`,
        policyKey: own.folder,
        content: PLANTED,
        fileName: `../../../../${victim.key}`,
      }),
  },
  {
    operation: 'PostObject',
    trick: '../ behind the own prefix',
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim, connection }) =>
      postForm(connection, {
        bucket: own.bucket,
        key: `${own.prefix}../${victim.key}`,
        policyKey: own.prefix,
        content: PLANTED,
      }),
  },
  {
    operation: 'PostObject',
    trick: 'a second key, the victim\u2019s',
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim, connection }) =>
      postForm(connection, {
        bucket: own.bucket,
        key: `${own.folder}form`,
        policyKey: own.folder,
        content: PLANTED,
        more: [['key', victim.key]],
      }),
  },
  {
    operation: 'PostObject',
    trick: 'to the own bucket, with the victim\u2019s as a field',
    expect: 'nothing',
    when: 'other-bucket',
    request: ({ own, victim, connection }) =>
      postForm(connection, {
        bucket: own.bucket,
        key: `${own.folder}form`,
        content: PLANTED,
        more: [['bucket', victim.bucket]],
        allowed: [['starts-with', '$bucket', '']],
      }),
  },
  {
    operation: 'PostObject',
    trick: 'without a signature',
    expect: 'denied',
    disguised: true,
    request: (context) => ({
      ...unsignedForm(context.victim.bucket, [['key', planted(context)]], PLANTED),
      anonymous: true,
    }),
  },
];
