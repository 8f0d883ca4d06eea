import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseLegalHold, requireLockedBucket } from '../wire/object-lock.ts';
import { parseVersionId } from '../wire/versions.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

export const getObjectLegalHold = defineOperation({
  name: 'GetObjectLegalHold',
  route: { method: 'GET', scope: 'object', query: { 'legal-hold': true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObjectLegalHold', bucket, key }] },
  body: noBody,
  handle: async ({ bucket, key, versionId }, { store }) => {
    await requireLockedBucket(store, bucket);
    const { legalHold } = await store.objectInfo(bucket, key, versionId);
    if (legalHold === undefined) throw new S3Error('NoSuchObjectLockConfiguration');
    return legalHold;
  },
  write: (hold) => xmlReply(xmlDocument('LegalHold', element('Status', hold ? 'ON' : 'OFF'))),
});

export const putObjectLegalHold = defineOperation({
  name: 'PutObjectLegalHold',
  route: { method: 'PUT', scope: 'object', query: { 'legal-hold': true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: { by: 'item', why: 'policies may ask for the hold in the body' },
  body: xmlBody({ maxBytes: 16 * 1024, required: true, checksums: 'body' }, parseLegalHold),
  handle: async ({ bucket, key, versionId }, context, legalHold) => {
    await context.require({ action: 's3:PutObjectLegalHold', bucket, key, lock: { legalHold } });
    await requireLockedBucket(context.store, bucket);
    return context.store.changeObject({ bucket, key, versionId, change: { legalHold } });
  },
  write: () => ({ status: 200 }),
});
