import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, oddTree, sha256 } from '../support/content.ts';
import { bucketName, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';

const MiB = 1024 * 1024;

describe('AWS SDK for JavaScript v3, with its default checksums', { timeout: 120_000 }, () => {
  let endpoint: DisposableEndpoint;
  let client: S3Client;
  const Bucket = bucketName('sdk');

  beforeAll(async () => {
    endpoint = await testEndpoint();
    const { url, region, accessKeyId, secretAccessKey } = endpoint;
    client = new S3Client({
      endpoint: url,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
    await client.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    client?.destroy();
    await endpoint?.[Symbol.asyncDispose]();
  });

  const get = async (Key: string, Range?: string) => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }));
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };

  test('a buffer carries a CRC32 there and back', async () => {
    const body = bytesOf('buffer', 100_000);
    const put = await client.send(
      new PutObjectCommand({ Bucket, Key: 'buffer', Body: body, ContentType: 'text/x-odd', Metadata: { who: 'me' } }),
    );
    expect(put.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/);
    const answer = await get('buffer');
    expect(answer.bytes.equals(body)).toBe(true);
    expect(answer.ChecksumCRC32).toBe(put.ChecksumCRC32);
    expect(answer.ContentType).toBe('text/x-odd');
    expect(answer.Metadata).toEqual({ who: 'me' });
    expect(answer.ETag).toBe(put.ETag);
  });

  test('a stream of known length goes out in chunks with a trailing checksum and keeps no trace of them', async () => {
    const body = bytesOf('stream', 3 * MiB + 17);
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'stream', Body: Readable.from([body]), ContentLength: body.length }),
    );
    const answer = await get('stream');
    expect(sha256(answer.bytes)).toBe(sha256(body));
    expect(answer.ContentEncoding).toBeUndefined();
  });

  test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    '%s is kept and returned',
    async (algorithm) => {
      const Key = `checksum/${algorithm}`;
      const body = bytesOf(algorithm, 12_345);
      const put = await client.send(new PutObjectCommand({ Bucket, Key, Body: body, ChecksumAlgorithm: algorithm }));
      const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(put[`Checksum${algorithm}`]).toBeTruthy();
      expect(head[`Checksum${algorithm}`]).toBe(put[`Checksum${algorithm}`]);
      expect((await get(Key)).bytes.equals(body)).toBe(true);
    },
  );

  test('a wrong checksum is refused and leaves nothing behind', async () => {
    const wrong = new PutObjectCommand({
      Bucket,
      Key: 'damaged',
      Body: bytesOf('x', 1_000),
      ChecksumCRC32: 'AAAAAA==',
    });
    await expect(client.send(wrong)).rejects.toMatchObject({ name: 'BadDigest', $metadata: { httpStatusCode: 400 } });
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'damaged' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('lib-storage uploads in parts, and ranges cross their borders', async () => {
    const body = bytesOf('multipart', 13 * MiB + 11);
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'multipart', Body: Readable.from(body.subarray()) },
      partSize: 5 * MiB,
      queueSize: 3,
    });
    const done = await upload.done();
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(sha256((await get('multipart')).bytes)).toBe(sha256(body));
    const middle = await get('multipart', `bytes=${5 * MiB - 100}-${10 * MiB + 99}`);
    expect(middle.ContentRange).toBe(`bytes ${5 * MiB - 100}-${10 * MiB + 99}/${body.length}`);
    expect(middle.bytes.equals(body.subarray(5 * MiB - 100, 10 * MiB + 100))).toBe(true);
    expect((await get('multipart', 'bytes=-11')).bytes.equals(body.subarray(-11))).toBe(true);
    const second = await client.send(new GetObjectCommand({ Bucket, Key: 'multipart', PartNumber: 2 }));
    expect(second.PartsCount).toBe(3);
    const bytes = Buffer.from((await second.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(body.subarray(5 * MiB, 10 * MiB))).toBe(true);
  });

  test('an aborted lib-storage upload leaves no object', async () => {
    const upload = new Upload({
      client,
      params: { Bucket, Key: 'aborted', Body: bytesOf('a', 11 * MiB) },
      queueSize: 1,
    });
    upload.on('httpUploadProgress', () => void upload.abort());
    await expect(upload.done()).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'aborted' }))).rejects.toBeInstanceOf(
      S3ServiceException,
    );
  });

  test('presigned PUT and GET work for a plain fetch, and not once tampered with', async () => {
    const body = bytesOf('presigned', 5_000);
    // its default would sign the checksum of an empty body into the URL
    const plain = new S3Client({
      endpoint: endpoint.url,
      region: endpoint.region,
      credentials: { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey },
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    const putUrl = await getSignedUrl(plain, new PutObjectCommand({ Bucket, Key: 'pre/signed +ü' }), { expiresIn: 60 });
    const put = await fetch(putUrl, { method: 'PUT', body: new Uint8Array(body) });
    expect([put.status, await put.text()]).toEqual([200, '']);
    const getUrl = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'pre/signed +ü' }), {
      expiresIn: 60,
    });
    const got = await fetch(getUrl);
    expect(got.status).toBe(200);
    expect(Buffer.from(await got.arrayBuffer()).equals(body)).toBe(true);
    const tampered = await fetch(getUrl.replace('X-Amz-Expires=60', 'X-Amz-Expires=61'));
    expect([tampered.status, await tampered.text()]).toEqual([403, expect.stringContaining('SignatureDoesNotMatch')]);
    plain.destroy();
  });

  test('conditional writes: only one of many creators wins, only the holder of the ETag replaces', async () => {
    const create = () => client.send(new PutObjectCommand({ Bucket, Key: 'claim', Body: 'first', IfNoneMatch: '*' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, create));
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.$metadata.httpStatusCode).toSatisfy(isConflict);
    }
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket, Key: 'claim' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'claim', Body: 'second', IfMatch: ETag }));
    await expect(
      client.send(new PutObjectCommand({ Bucket, Key: 'claim', Body: 'third', IfMatch: ETag })),
    ).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await get('claim')).bytes.toString()).toBe('second');
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'claim', IfMatch: ETag }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 412 },
    });
  });

  test('odd keys are listed page by page, copied and deleted together', async () => {
    const names = [...Object.keys(oddTree()), 'a', 'a/b', 'a//b', '/leading', 'trailing/', '../x', 'tab\there'];
    const keys = names.map((name) => `odd/${name}`);
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const listed: string[] = [];
    const pages = paginateListObjectsV2({ client, pageSize: 4 }, { Bucket, Prefix: 'odd/' });
    for await (const page of pages) listed.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    expect(listed).toEqual([...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const Key of keys) expect((await get(Key)).bytes.toString()).toBe(Key);

    const source = 'odd/unicode/#hash;semi,comma@at~tilde$dollar.txt';
    await client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${encodeURIComponent(source)}` }),
    );
    expect((await get('copy')).bytes.toString()).toBe(source);

    const Objects = keys.map((Key) => ({ Key }));
    const removed = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(removed.Errors ?? []).toEqual([]);
    expect(removed.Deleted?.map(({ Key }) => Key).sort()).toEqual([...keys].sort());
    const left = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/' }));
    expect(left.KeyCount).toBe(0);
    await expect(client.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
  });
});

/** 412 for who came late, 409 for who wrote at the same time: S3 answers either. */
const isConflict = (status: unknown) => status === 412 || status === 409;
