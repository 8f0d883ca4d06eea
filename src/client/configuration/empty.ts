import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Connection } from '../../providers/index.ts';
import { ClientError } from '../errors.ts';
import { translate } from '../translate.ts';
import { createTransport } from '../transport.ts';

/** What is in a bucket that keeps it from being deleted. */
export interface Contents {
  /** Objects, or with versioning: versions and delete markers. */
  readonly objects: number;
  /** Counting stopped at its limit: there are more. */
  readonly more: boolean;
}

/** Counts and removes what is in a bucket: for `destroy`, and for nothing else. */
export interface BucketContents {
  /** @param limit where counting stops */
  count(bucket: string, limit: number): Promise<Contents>;
  /**
   * Removes every object, version, delete marker and unfinished upload.
   * @returns the keys that could not be removed, such as locked ones
   */
  empty(bucket: string, onRemoved: (count: number) => void): Promise<readonly string[]>;
  close(): void;
}

export function createBucketContents(connection: Connection): BucketContents {
  const sdk = createTransport(connection, 'when-required');
  const versioned = connection.provider.features.versioning !== 'no';

  async function call<T>(operation: string, bucket: string, send: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await send(sdk);
    } catch (error) {
      throw translate(error, { operation, endpoint: connection.endpoint.url, bucket });
    }
  }

  async function* pages(bucket: string): AsyncGenerator<ObjectIdentifier[]> {
    try {
      if (versioned) return yield* versionPages(bucket);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'not-implemented') throw error;
    }
    yield* objectPages(bucket);
  }

  async function* versionPages(bucket: string): AsyncGenerator<ObjectIdentifier[]> {
    let marker: { KeyMarker: string | undefined; VersionIdMarker: string | undefined } | undefined;
    do {
      const page = await call('ListObjectVersions', bucket, (client) =>
        client.send(new ListObjectVersionsCommand({ Bucket: bucket, ...marker })),
      );
      yield [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key, VersionId }));
      marker =
        page.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
          : undefined;
    } while (marker !== undefined);
  }

  async function* objectPages(bucket: string): AsyncGenerator<ObjectIdentifier[]> {
    let token: string | undefined;
    do {
      const page = await call('ListObjectsV2', bucket, (client) =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token })),
      );
      yield (page.Contents ?? []).map(({ Key }) => ({ Key }));
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  return {
    async count(bucket, limit) {
      let objects = 0;
      for await (const page of pages(bucket)) {
        objects += page.length;
        if (objects > limit) return { objects: limit, more: true };
      }
      return { objects, more: false };
    },

    async empty(bucket, onRemoved) {
      const failed: string[] = [];
      for await (const page of pages(bucket)) {
        if (page.length === 0) continue;
        const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: page, Quiet: true } });
        const { Errors = [] } = await call('DeleteObjects', bucket, (client) => client.send(command));
        failed.push(...Errors.map(({ Key }) => Key ?? ''));
        onRemoved(page.length - Errors.length);
      }
      const uploads = await call('ListMultipartUploads', bucket, (client) =>
        client.send(new ListMultipartUploadsCommand({ Bucket: bucket })),
      );
      for (const { Key, UploadId } of uploads.Uploads ?? []) {
        const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId });
        await call('AbortMultipartUpload', bucket, (client) => client.send(command));
      }
      return failed;
    },

    close: () => sdk.destroy(),
  };
}
