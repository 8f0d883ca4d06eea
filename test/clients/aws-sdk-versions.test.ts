import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketName, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';

describe('AWS SDK for JavaScript v3 and versions', { timeout: 120_000 }, () => {
  let endpoint: DisposableEndpoint;
  let client: S3Client;

  beforeAll(async () => {
    endpoint = await testEndpoint();
    const { url, region, accessKeyId, secretAccessKey } = endpoint;
    client = new S3Client({
      endpoint: url,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
  });
  afterAll(async () => {
    client?.destroy();
    await endpoint?.[Symbol.asyncDispose]();
  });

  test('makes, pages through, reads, hides and removes them', async () => {
    const Bucket = bucketName('versions');
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const made: (string | undefined)[] = [];
    for (const Body of ['one', 'two', 'three']) {
      made.unshift((await client.send(new PutObjectCommand({ Bucket, Key: 'a/k', Body }))).VersionId);
    }
    const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'a/k' }));
    expect(marker.DeleteMarker).toBe(true);
    const pages: ListObjectVersionsCommandOutput[] = [];
    for (let more = true; more && pages.length < 10; ) {
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = pages.at(-1) ?? {};
      const page = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1, KeyMarker, VersionIdMarker }));
      pages.push(page);
      more = page.IsTruncated === true;
    }
    expect(pages).toHaveLength(4);
    expect(pages.flatMap(({ Versions = [] }) => Versions.map(({ VersionId }) => VersionId))).toEqual(made);
    expect(pages[0]?.DeleteMarkers?.[0]).toMatchObject({ VersionId: marker.VersionId, IsLatest: true });
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    const gone = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/k' })).catch((error: unknown) => error);
    expect(gone instanceof S3ServiceException && gone.$metadata.httpStatusCode).toBe(404);
    const old = await client.send(new GetObjectCommand({ Bucket, Key: 'a/k', VersionId: made[1] }));
    expect(await old.Body?.transformToString()).toBe('two');
    const Objects = [...made, marker.VersionId].map((VersionId) => ({ Key: 'a/k', VersionId }));
    const removed = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(removed.Errors).toBeUndefined();
    expect(removed.Deleted).toHaveLength(4);
    const after = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect([after.Versions, after.DeleteMarkers]).toEqual([undefined, undefined]);
  });
});
