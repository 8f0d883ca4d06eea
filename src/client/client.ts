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
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { MiB } from '../core/sizes.ts';
import type { Connection } from '../providers/index.ts';
import { isLoopback } from '../settings/index.ts';
import { ClientError } from './errors.ts';
import { abortable, bare, headerParameters, multipart } from './multipart.ts';
import type { ListedEntry, ListRequest, ObjectClient, ObjectFacts } from './port.ts';
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

  async function* list(request: ListRequest): AsyncGenerator<ListedEntry> {
    let token: string | undefined;
    do {
      const page = await call('ListObjectsV2', { bucket: request.bucket }, (client) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: request.bucket,
            Prefix: request.prefix,
            Delimiter: request.delimiter,
            StartAfter: request.startAfter,
            MaxKeys: request.pageSize,
            ContinuationToken: token,
          }),
          abortable(request.signal),
        ),
      );
      for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield { kind: 'object', key: Key, size: Size ?? 0, modified: LastModified?.getTime(), etag: bare(ETag) };
      }
      for (const { Prefix } of page.CommonPrefixes ?? []) {
        if (Prefix !== undefined) yield { kind: 'prefix', prefix: Prefix };
      }
      const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      if (page.IsTruncated === true && (next === undefined || next === token)) {
        const about = { operation: 'ListObjectsV2', endpoint: endpoint.url, bucket: request.bucket };
        throw new ClientError('protocol', `${about.operation} ${about.bucket}: a truncated page without a new token`, {
          subject: request.bucket,
        });
      }
      token = next;
    } while (token !== undefined);
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

    list,

    async put({ bucket, key, body, ifAbsent, checksum, md5, sha256, signal, ...headers }) {
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

    presign: (request) => presignedUrl(connection, request),

    close() {
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
