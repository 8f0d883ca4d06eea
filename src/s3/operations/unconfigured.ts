import { noBody } from '../body.ts';
import type { S3ErrorCode } from '../error-codes.ts';
import { S3Error } from '../errors.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

/** What S3 answers for a bucket on which nothing was configured: an error, or a document. */
type Answer = { readonly code: S3ErrorCode } | { readonly root: string; readonly content: (owner: string) => string };

interface Row {
  readonly name: string;
  readonly query: string;
  readonly action: `s3:${string}`;
  readonly answer: Answer;
}

const empty = (root: string): Answer => ({ root, content: () => '' });

const ROWS: readonly Row[] = [
  {
    name: 'GetBucketWebsite',
    query: 'website',
    action: 's3:GetBucketWebsite',
    answer: { code: 'NoSuchWebsiteConfiguration' },
  },
  { name: 'GetBucketLogging', query: 'logging', action: 's3:GetBucketLogging', answer: empty('BucketLoggingStatus') },
  {
    name: 'GetBucketNotificationConfiguration',
    query: 'notification',
    action: 's3:GetBucketNotification',
    answer: empty('NotificationConfiguration'),
  },
  {
    name: 'GetBucketReplication',
    query: 'replication',
    action: 's3:GetReplicationConfiguration',
    answer: { code: 'ReplicationConfigurationNotFoundError' },
  },
  {
    name: 'GetBucketRequestPayment',
    query: 'requestPayment',
    action: 's3:GetBucketRequestPayment',
    answer: { root: 'RequestPaymentConfiguration', content: () => element('Payer', 'BucketOwner') },
  },
  {
    name: 'GetBucketAccelerateConfiguration',
    query: 'accelerate',
    action: 's3:GetAccelerateConfiguration',
    answer: empty('AccelerateConfiguration'),
  },
];

function unconfigured({ name, query, action, answer }: Row): Operation {
  return defineOperation({
    name,
    route: { method: 'GET', scope: 'bucket', query: { [query]: true } },
    parse: ({ bucket }) => ({ bucket }),
    access: { by: 'checks', of: ({ bucket }) => [{ action, bucket }] },
    body: noBody,
    handle: async ({ bucket }, { store }) => {
      const { owner } = await store.bucket(bucket);
      if ('code' in answer) throw new S3Error(answer.code, undefined, { elements: { BucketName: bucket } });
      return xmlDocument(answer.root, answer.content(owner));
    },
    write: (document) => xmlReply(document),
  });
}

/** The configurations that buckets here cannot have yet. Their PUT and DELETE answer 501 from the router. */
export const unconfiguredBucketReads: readonly Operation[] = ROWS.map(unconfigured);
