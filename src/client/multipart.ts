import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { payloadHash } from '../sigv4/index.ts';
import type { ObjectClient, ObjectHeaders } from './port.ts';

const UNSIGNED_PAYLOAD = payloadHash({ kind: 'unsigned' });

/** One request through the client's translation and repetition. */
type Call = <T>(
  operation: string,
  subject: { readonly bucket: string; readonly key?: string },
  send: (sdk: S3Client) => Promise<T>,
) => Promise<T>;

/** What lies between us and the provider. */
export interface Wire {
  /** Nobody can change bytes on the way: TLS, or loopback. */
  readonly protected: boolean;
  /** The profile sends checksums. */
  readonly checksums: boolean;
}

/** The multipart half of the client port. */
export function multipart(
  call: Call,
  wire: Wire,
): Pick<ObjectClient, 'createUpload' | 'uploadPart' | 'completeUpload' | 'listParts' | 'listUploads' | 'abortUpload'> {
  return {
    async createUpload({ bucket, key, signal, ...headers }) {
      const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ...headerParameters(headers) });
      const send = (client: S3Client) => client.send(command, abortable(signal));
      const { UploadId } = await call('CreateMultipartUpload', { bucket, key }, send);
      return UploadId ?? '';
    },

    async uploadPart({ bucket, key, uploadId, number, bytes, md5, crc32, signal }) {
      const command = new UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        PartNumber: number,
        Body: bytes,
        ContentLength: bytes.length,
        ContentMD5: md5 === undefined ? undefined : Buffer.from(md5).toString('base64'),
        ChecksumCRC32: crc32 === undefined || !wire.checksums ? undefined : base64Of(crc32),
      });
      if (crc32 !== undefined && wire.protected) {
        // The signer takes what is there already.
        command.middlewareStack.add(
          (next) => (step) => {
            if (hasHeaders(step.request)) step.request.headers['x-amz-content-sha256'] = UNSIGNED_PAYLOAD;
            return next(step);
          },
          { step: 'build', name: 'unsignedPayload' },
        );
      }
      const answer = await call('UploadPart', { bucket, key }, (client) => client.send(command, abortable(signal)));
      return { number, etag: bare(answer.ETag), crc32: answer.ChecksumCRC32 };
    },

    async completeUpload({ bucket, key, uploadId, parts, signal }) {
      const command = new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: {
          Parts: parts.map(({ number, etag, crc32 }) => ({
            PartNumber: number,
            ETag: `"${etag}"`,
            ChecksumCRC32: crc32,
          })),
        },
      });
      const send = (client: S3Client) => client.send(command, abortable(signal));
      return { etag: bare((await call('CompleteMultipartUpload', { bucket, key }, send)).ETag) };
    },

    async *listParts({ bucket, key, uploadId }) {
      let marker: string | undefined;
      do {
        const command = new ListPartsCommand({
          Bucket: bucket,
          Key: key,
          UploadId: uploadId,
          PartNumberMarker: marker,
        });
        const page = await call('ListParts', { bucket, key }, (client) => client.send(command));
        for (const { PartNumber, ETag, Size, ChecksumCRC32 } of page.Parts ?? []) {
          if (PartNumber === undefined) continue;
          yield { number: PartNumber, etag: bare(ETag), size: Size ?? 0, crc32: ChecksumCRC32 };
        }
        const more = page.IsTruncated === true && page.NextPartNumberMarker !== marker;
        marker = more ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
    },

    async *listUploads({ bucket, prefix }) {
      let marker: { readonly KeyMarker: string | undefined; readonly UploadIdMarker: string | undefined } | undefined;
      do {
        const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...marker });
        const page = await call('ListMultipartUploads', { bucket }, (client) => client.send(command));
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          if (Key === undefined || UploadId === undefined) continue;
          yield { key: Key, uploadId: UploadId, initiated: Initiated?.getTime() };
        }
        const more = page.IsTruncated === true && page.NextKeyMarker !== marker?.KeyMarker;
        marker = more ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
      } while (marker !== undefined);
    },

    async abortUpload({ bucket, key, uploadId }) {
      const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
      await call('AbortMultipartUpload', { bucket, key }, (client) => client.send(command));
    },
  };
}

function base64Of(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString('base64');
}

function hasHeaders(request: unknown): request is { readonly headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request && typeof request.headers === 'object';
}

/** What PutObject and CreateMultipartUpload call an object's headers. */
export function headerParameters(headers: ObjectHeaders) {
  const { metadata, tags } = headers;
  return {
    ContentType: headers.contentType,
    ContentEncoding: headers.contentEncoding,
    ContentDisposition: headers.contentDisposition,
    ContentLanguage: headers.contentLanguage,
    CacheControl: headers.cacheControl,
    Metadata: metadata === undefined ? undefined : { ...metadata },
    Tagging: tags === undefined ? undefined : new URLSearchParams(Object.entries(tags)).toString(),
  };
}

export function abortable(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** An entity tag without its quotes and weakness. */
export function bare(etag: string | undefined): string {
  return (etag ?? '').replace(/^(?:W\/)?"|"$/g, '');
}
