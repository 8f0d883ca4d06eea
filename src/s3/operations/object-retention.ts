import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import {
  asksForBypass,
  bypassesGovernance,
  parseRetention,
  requireLockedBucket,
  retentionXml,
} from '../wire/object-lock.ts';
import { parseVersionId } from '../wire/versions.ts';
import { xmlDocument } from '../wire/xml-out.ts';

export const getObjectRetention = defineOperation({
  name: 'GetObjectRetention',
  route: { method: 'GET', scope: 'object', query: { retention: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObjectRetention', bucket, key }] },
  body: noBody,
  handle: async ({ bucket, key, versionId }, { store }) => {
    await requireLockedBucket(store, bucket);
    const { retention } = await store.objectInfo(bucket, key, versionId);
    if (retention === undefined) throw new S3Error('NoSuchObjectLockConfiguration');
    return retention;
  },
  write: (retention) => xmlReply(xmlDocument('Retention', retentionXml(retention))),
});

export const putObjectRetention = defineOperation({
  name: 'PutObjectRetention',
  route: { method: 'PUT', scope: 'object', query: { retention: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query, headers }) => ({
    bucket,
    key,
    versionId: parseVersionId(query),
    bypass: asksForBypass(headers),
  }),
  access: { by: 'item', why: 'policies may ask for the retention in the body' },
  body: xmlBody({ maxBytes: 16 * 1024, required: true, checksums: 'body' }, parseRetention),
  handle: async ({ bucket, key, versionId, bypass }, context, retention) => {
    const lock = { retention };
    await context.require({ action: 's3:PutObjectRetention', bucket, key, lock });
    await requireLockedBucket(context.store, bucket);
    const bypassGovernance = await bypassesGovernance(bypass, bucket, key, context, lock);
    return context.store.changeObject({ bucket, key, versionId, change: { retention }, bypassGovernance });
  },
  write: () => ({ status: 200 }),
});
