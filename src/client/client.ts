import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { MiB } from '../core/sizes.ts';
import type { Connection } from '../providers/index.ts';
import { isLoopback } from '../settings/index.ts';
import { createRequester } from './configuration/request.ts';
import { ClientError } from './errors.ts';
import { listEntries } from './list.ts';
import { type ListPage, readListPage } from './list-page.ts';
import { abortable, bare, headerParameters, multipart } from './multipart.ts';
import type { ObjectClient, ObjectFacts } from './port.ts';
import { presignedUrl } from './presign.ts';
import { isBrokenFraming, type RequestSubject, translate } from './translate.ts';
import { createTransport, type TransportOptions } from './transport.ts';

/** The S3 client port over the AWS SDK, as the connection's profile needs it. */
export function createClient(connection: Connection, options: TransportOptions = {}): ObjectClient {
  const { endpoint } = connection;
  const sdk = createTransport(connection, connection.checksums, options);

  /** One request, translated; repeated once when the connection, not the request, was broken. */
  async function call<T>(
    operation: string,
    subject: Omit<RequestSubject, 'operation' | 'endpoint'>,
    send: (sdk: S3Client) => Promise<T>,
    repeatable = true,
  ): Promise<T> {
    const about = { operation, endpoint: endpoint.url, ...subject };
    try {
      return await send(sdk);
    } catch (error) {
      if (!repeatable || !isBrokenFraming(error)) throw translate(error, about);
    }
    return send(sdk).catch((error: unknown) => Promise.reject(translate(error, about)));
  }

  // Read by ourselves: the SDK takes several times as long for a page as the request does.
  const now = () => Date.now() + sdk.config.systemClockOffset;
  const lists = createRequester(connection, {
    timeoutMs: options.idleMs ?? 60_000,
    sockets: options.sockets ?? 64,
    attempts: options.attempts ?? 3,
    now,
  });

  async function page(query: string, bucket: string, signal: AbortSignal | undefined): Promise<ListPage> {
    signal?.throwIfAborted();
    const request = { operation: 'ListObjectsV2', method: 'GET', bucket, query } as const;
    const { body } = await lists.send(request).catch(async (error: unknown) => {
      if (!(error instanceof ClientError) || error.code !== 'clock-skew') throw error;
      // Any request of the SDK's shows it the provider's clock; ours then goes by it, too.
      await sdk.send(new HeadBucketCommand({ Bucket: bucket })).catch(() => {});
      return lists.send(request);
    });
    const read = readListPage(body);
    if (read !== undefined) return read;
    throw new ClientError('protocol', `ListObjectsV2 ${bucket}: the answer is no list of objects`, { subject: bucket });
  }

  return {
    async createBucket(bucket) {
      await call('CreateBucket', { bucket }, (client) => client.send(new CreateBucketCommand({ Bucket: bucket })));
    },

    async headBucket(bucket) {
      await call('HeadBucket', { bucket }, (client) => client.send(new HeadBucketCommand({ Bucket: bucket })));
    },

    async listBuckets() {
      const { Buckets = [] } = await call('ListBuckets', {}, (client) => client.send(new ListBucketsCommand({})));
      return Buckets.flatMap(({ Name, CreationDate }) =>
        Name === undefined ? [] : [{ name: Name, created: CreationDate?.getTime() }],
      );
    },

    list: (request) => listEntries((query) => page(query, request.bucket, request.signal), request),

    async put({ bucket, key, body, ifAbsent, checksum, md5, sha256, lockUntil, signal, ...headers }) {
      const bytes = 'bytes' in body;
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytes ? body.bytes : body.stream,
        // Always said: a zero-byte PUT without it is refused by some.
        ContentLength: bytes ? Buffer.byteLength(body.bytes) : body.length,
        ContentMD5: md5 === undefined ? undefined : Buffer.from(md5).toString('base64'),
        ...headerParameters(headers),
        IfNoneMatch: ifAbsent === true ? '*' : undefined,
        ChecksumAlgorithm: checksum,
        ...(lockUntil === undefined
          ? {}
          : { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(lockUntil) }),
      });
      if (sha256 !== undefined) {
        command.middlewareStack.add(
          (next) => (args) => {
            const { request } = args;
            if (typeof request === 'object' && request !== null && 'headers' in request) {
              Object.assign(Object(request.headers), { 'x-amz-content-sha256': sha256 });
            }
            return next(args);
          },
          { step: 'build', name: 'knownPayloadDigest' },
        );
      }
      const send = (client: S3Client) => client.send(command, abortable(signal));
      const answer = await call('PutObject', { bucket, key }, send, bytes);
      return { etag: bare(answer.ETag) };
    },

    async upload({ bucket, key, body, contentType, metadata, partSize, concurrency, signal }) {
      const send = async (client: S3Client) => {
        const upload = new Upload({
          client,
          params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType, Metadata: { ...metadata } },
          partSize: partSize ?? 8 * MiB,
          queueSize: concurrency ?? 4,
          leavePartsOnError: false,
        });
        const abort = () => void upload.abort();
        signal?.addEventListener('abort', abort, { once: true });
        try {
          signal?.throwIfAborted();
          return await upload.done();
        } finally {
          signal?.removeEventListener('abort', abort);
        }
      };
      const answer = await call('Upload', { bucket, key }, send, body instanceof Uint8Array);
      return { etag: bare(answer.ETag) };
    },

    async get({ bucket, key, range, signal }) {
      const bytes = range === undefined ? undefined : `bytes=${range.start}-${range.end ?? ''}`;
      const answer = await call('GetObject', { bucket, key }, (client) =>
        client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: bytes }), abortable(signal)),
      );
      return { ...facts(answer), body: answer.Body instanceof Readable ? answer.Body : Readable.from([]) };
    },

    async head({ bucket, key }) {
      return facts(
        await call('HeadObject', { bucket, key }, (client) =>
          client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })),
        ),
      );
    },

    async tags({ bucket, key }) {
      const { TagSet = [] } = await call('GetObjectTagging', { bucket, key }, (client) =>
        client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key })),
      );
      return Object.fromEntries(TagSet.flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])));
    },

    ...multipart(call, {
      protected: endpoint.scheme === 'https' || isLoopback(endpoint.host),
      checksums: connection.checksums === 'when-supported',
    }),

    async delete({ bucket, key }) {
      await call('DeleteObject', { bucket, key }, (client) =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })),
      );
    },

    async deleteMany({ bucket, keys }) {
      if (keys.length === 0) return [];
      const command = new DeleteObjectsCommand({
        Bucket: bucket,
        Delete: { Objects: keys.map((key) => ({ Key: key })), Quiet: true },
      });
      const { Errors = [] } = await call('DeleteObjects', { bucket }, (client) => client.send(command));
      return Errors.map(({ Key, Code }) => ({ key: Key ?? '', s3Code: Code ?? 'Unknown' }));
    },

    // As the provider's clock goes, once the SDK has seen that ours is minutes apart from it.
    presign: (request) => presignedUrl(connection, request, now()),

    async extendLock({ bucket, key, until }) {
      const command = new PutObjectRetentionCommand({
        Bucket: bucket,
        Key: key,
        Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(until) },
      });
      await call('PutObjectRetention', { bucket, key }, (client) => client.send(command));
    },

    close() {
      lists.close();
      sdk.destroy();
    },
  };
}

function facts(
  answer: Pick<
    GetObjectCommandOutput,
    | 'ContentLength'
    | 'ETag'
    | 'LastModified'
    | 'ContentType'
    | 'ContentEncoding'
    | 'ContentDisposition'
    | 'ContentLanguage'
    | 'CacheControl'
    | 'Metadata'
    | 'TagCount'
    | 'ServerSideEncryption'
    | 'SSECustomerAlgorithm'
  >,
): ObjectFacts {
  return {
    size: answer.ContentLength ?? 0,
    etag: bare(answer.ETag),
    modified: answer.LastModified?.getTime(),
    contentType: answer.ContentType,
    contentEncoding: answer.ContentEncoding,
    contentDisposition: answer.ContentDisposition,
    contentLanguage: answer.ContentLanguage,
    cacheControl: answer.CacheControl,
    metadata: answer.Metadata ?? {},
    tagCount: answer.TagCount,
    opaqueEtag: answer.SSECustomerAlgorithm !== undefined || /kms/.test(answer.ServerSideEncryption ?? ''),
  };
}
