import { ClientError, type ObjectClient, type UploadedPart } from '../client/index.ts';
import { TransferError } from './errors.ts';
import { ourLayout } from './etag.ts';
import { isWellFormed } from './keys.ts';
import type { NewObject, ObjectWriter, Place, Stored } from './place.ts';

export interface BucketPlaceOptions {
  /** Closed with the place. */
  readonly client: ObjectClient;
  readonly endpoint: string;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  /** Whether the provider has object tags. */
  readonly tags: boolean;
}

/** A bucket, from a prefix on, as a place. */
export function bucketPlace({ client, endpoint, bucket, prefix, tags }: BucketPlaceOptions): Place {
  const at = (key: string) => ({ bucket, key: prefix + key });

  return {
    kind: 'bucket',
    name: `s3://${bucket}/${prefix} at ${endpoint}`,
    keeps: { headers: true, tags },

    check: () => client.headBucket(bucket),

    async *list(signal) {
      for await (const entry of client.list({ bucket, prefix, signal })) {
        if (entry.kind !== 'object') continue;
        const { size, modified, etag } = entry;
        const key = entry.key.slice(prefix.length);
        // The marker that consoles make for an empty folder: as `prefix/` itself it is the place, not in it.
        if (key === '') continue;
        yield { kind: 'object', key, size, modified, etag, version: etag };
      }
    },

    async open(key, { start = 0, signal }) {
      const answer = await client.get({ ...at(key), signal, ...(start === 0 ? {} : { range: { start } }) });
      const { etag, body, modified, tagCount, opaqueEtag, ...facts } = answer;
      return {
        key,
        size: facts.size + start,
        modified,
        etag,
        version: etag,
        opaqueEtag,
        headers: {
          contentType: facts.contentType,
          // What some servers keep of a signed upload's framing is no encoding of the object.
          contentEncoding: withoutChunks(facts.contentEncoding),
          contentDisposition: facts.contentDisposition,
          contentLanguage: facts.contentLanguage,
          cacheControl: facts.cacheControl,
          metadata: facts.metadata,
        },
        tags: async () => (tags && tagCount !== undefined && tagCount > 0 ? client.tags(at(key)) : undefined),
        body,
        // One answer is one version of the object, whatever happens to it meanwhile.
        unchanged: async () => true,
        async close() {
          body.destroy();
        },
      };
    },

    async begin(object, note, signal) {
      if (!Number.isFinite(ourLayout(object.size))) return single(object, signal);
      // Before the request: a process killed while it waits for the answer would leave an upload nobody knows of.
      await note({ kind: 'intent', key: object.key, at: Date.now() });
      const uploadId = await client.createUpload({ ...at(object.key), ...object.headers, signal });
      await note({ kind: 'upload', key: object.key, uploadId });
      return parts(object, uploadId, signal);
    },

    async cleanUp(leftover) {
      if (leftover.kind === 'upload') await abandon(leftover.key, leftover.uploadId);
      if (leftover.kind !== 'intent') return;
      const { key } = at(leftover.key);
      for await (const upload of client.listUploads({ bucket, prefix: key })) {
        // Of the uploads of this very key, only what began after we said so; a minute for clocks that differ.
        const ours = upload.key === key && (upload.initiated ?? 0) >= leftover.at - 60_000;
        if (ours) await abandon(leftover.key, upload.uploadId);
      }
    },

    refusals: () => (key) => {
      if (Buffer.byteLength(prefix + key) > 1024) return 'with the prefix it is longer than the 1,024 bytes of S3';
      return isWellFormed(key) ? undefined : 'it is no valid Unicode';
    },

    async delete(keys) {
      const failed: { key: string; reason: string }[] = [];
      for (let from = 0; from < keys.length; from += 1000) {
        const batch = keys.slice(from, from + 1000).map((key) => prefix + key);
        for (const { key, s3Code } of await client.deleteMany({ bucket, keys: batch })) {
          failed.push({ key: key.slice(prefix.length), reason: s3Code });
        }
      }
      return failed;
    },

    async close() {
      client.close();
    },
  };

  async function abandon(key: string, uploadId: string): Promise<void> {
    try {
      await client.abortUpload({ ...at(key), uploadId });
    } catch (error) {
      // It had been completed, or somebody was faster.
      const gone = error instanceof ClientError && (error.code === 'no-such-upload' || error.code === 'no-such-key');
      if (!gone) throw error;
    }
  }

  /** Held in memory until `finish`, so that the provider can repeat it and nothing is stored before it is checked. */
  function single(object: NewObject, signal: AbortSignal | undefined): ObjectWriter {
    let content: { readonly bytes: Uint8Array; readonly md5: Uint8Array } | undefined;
    return {
      async write(_index, bytes, md5) {
        content = { bytes, md5 };
      },
      async finish(etag) {
        const { bytes = new Uint8Array(), md5 } = content ?? {};
        const answer = await client.put({ ...at(object.key), ...object.headers, body: { bytes }, md5, signal });
        return proven(object, etag, answer.etag);
      },
      async abort() {},
    };
  }

  function parts(object: NewObject, uploadId: string, signal: AbortSignal | undefined): ObjectWriter {
    const done: UploadedPart[] = [];
    const upload = { ...at(object.key), uploadId };
    return {
      async write(index, bytes, md5) {
        const part = await client.uploadPart({ ...upload, number: index + 1, bytes, md5, signal });
        done.push(part);
      },
      async finish(etag) {
        const sorted = done.sort((a, b) => a.number - b.number);
        const answer = await client.completeUpload({ ...upload, parts: sorted, signal }).catch((error: unknown) => {
          // A repeated request finds no upload when the first one had done it; what is stored decides.
          if (error instanceof ClientError && error.code === 'no-such-upload') return { etag: '' };
          throw error;
        });
        return proven(object, etag, answer.etag);
      },
      abort: () => client.abortUpload(upload),
    };
  }

  /** Whether what is stored is what was sent: by the ETag where it is an MD5, else by the size. */
  async function proven(object: NewObject, etag: string, answered: string): Promise<Stored> {
    if (answered === etag) return { version: answered, checked: true };
    const facts = await client.head(at(object.key));
    if (facts.etag === etag && facts.size === object.size) return { version: facts.etag, checked: true };
    const comparable = !facts.opaqueEtag && /^[0-9a-f]{32}(?:-\d+)?$/i.test(facts.etag);
    if (comparable || facts.size !== object.size) {
      throw new TransferError(
        'not-stored',
        `${object.key}: ${object.size} bytes with the ETag ${etag} were sent, ${facts.size} with ${facts.etag || 'none'} are stored`,
        { subject: object.key, advice: 'somebody else may have written it; run the transfer again' },
      );
    }
    return { version: facts.etag, checked: false };
  }
}

function withoutChunks(encoding: string | undefined): string | undefined {
  const rest = encoding
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== 'aws-chunked');
  return rest === undefined || rest.length === 0 ? undefined : rest.join(', ');
}
