import type { Attack, AttackContext, Bait } from '../model.ts';

const id = ({ uploadId }: Bait) => `uploadId=${encodeURIComponent(uploadId)}`;
const complete = (etag: string) =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"${etag}"</ETag></Part></CompleteMultipartUpload>`;

const hijack = (
  operation: string,
  trick: string,
  expect: Attack['expect'],
  request: Attack['request'],
  more: Partial<Attack> = {},
): Attack => ({ operation, trick, expect, anonymous: expect === 'denied', request, ...more });

/** The victim's upload under the attacker's own key: there must be no such upload. */
const underOwnKey = ({ own, victim }: AttackContext) => ({
  bucket: own.bucket,
  key: `${own.folder}hijacked`,
  id: id(victim),
});

export const multipartAttacks: readonly Attack[] = [
  hijack('CreateMultipartUpload', "beside the victim's key", 'denied', ({ victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    key: `${victim.folder}planted`,
    query: 'uploads=',
  })),
  hijack('UploadPart', "into the victim's upload", 'denied', ({ victim }) => ({
    method: 'PUT',
    bucket: victim.bucket,
    key: victim.uploadKey,
    query: `partNumber=1&${id(victim)}`,
    body: 'planted by an attacker',
  })),
  hijack('UploadPart', "the victim's upload id under an own key", 'nothing', (context) => ({
    method: 'PUT',
    bucket: underOwnKey(context).bucket,
    key: underOwnKey(context).key,
    query: `partNumber=1&${underOwnKey(context).id}`,
    body: 'planted by an attacker',
  })),
  hijack('UploadPart', "an own upload id under the victim's key", 'denied', ({ own, victim }) => ({
    method: 'PUT',
    bucket: victim.bucket,
    key: victim.key,
    query: `partNumber=1&${id(own)}`,
    body: 'planted by an attacker',
  })),
  hijack('CompleteMultipartUpload', "an own upload id under the victim's key", 'denied', ({ own, victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    key: victim.key,
    query: id(own),
    body: complete(own.partEtag),
  })),
  hijack('ListParts', "of the victim's upload", 'denied', ({ victim }) => ({
    method: 'GET',
    bucket: victim.bucket,
    key: victim.uploadKey,
    query: id(victim),
  })),
  hijack('ListParts', "the victim's upload id under an own key", 'nothing', (context) => ({
    method: 'GET',
    bucket: underOwnKey(context).bucket,
    key: underOwnKey(context).key,
    query: underOwnKey(context).id,
  })),
  hijack('CompleteMultipartUpload', "the victim's upload", 'denied', ({ victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    key: victim.uploadKey,
    query: id(victim),
    body: complete(victim.partEtag),
  })),
  hijack('CompleteMultipartUpload', "the victim's upload id under an own key", 'nothing', (context) => ({
    method: 'POST',
    bucket: underOwnKey(context).bucket,
    key: underOwnKey(context).key,
    query: underOwnKey(context).id,
    body: complete(context.victim.partEtag),
  })),
  hijack('AbortMultipartUpload', "the victim's upload", 'denied', ({ victim }) => ({
    method: 'DELETE',
    bucket: victim.bucket,
    key: victim.uploadKey,
    query: id(victim),
  })),
  hijack('AbortMultipartUpload', "the victim's upload id under an own key", 'nothing', (context) => ({
    method: 'DELETE',
    bucket: underOwnKey(context).bucket,
    key: underOwnKey(context).key,
    query: underOwnKey(context).id,
  })),
];
