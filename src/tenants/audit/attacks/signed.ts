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
    trick: 'without a signature',
    expect: 'denied',
    request: (context) => ({
      ...unsignedForm(context.victim.bucket, [['key', planted(context)]], PLANTED),
      anonymous: true,
    }),
  },
];
