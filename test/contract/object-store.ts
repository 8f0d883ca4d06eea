import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf, fullObjectChecksum } from '../../src/checksum/index.ts';
import type { CompletePart, ObjectInfo, ObjectStore, PutObject } from '../../src/store/index.ts';
import { StoreError } from '../../src/store/index.ts';
import { chunked, collect, putRequest, readWhole, refuses } from './requests.ts';

/**
 * What every ObjectStore must do. An implementation joins by handing in a way to open an empty one.
 * `smallPart` is a part size the store accepts for parts other than the last.
 */
export function describeObjectStore(
  name: string,
  open: () => Promise<{ store: ObjectStore; smallPart: number; discard(): Promise<void> }>,
): void {
  describe(name, () => {
    let store: ObjectStore;
    let smallPart: number;
    let discard: () => Promise<void>;

    beforeEach(async () => {
      ({ store, smallPart, discard } = await open());
      await store.createBucket({ name: 'bucket', owner: 'root', region: 'us-east-1' });
    });
    afterEach(() => discard());

    const put = (key: string, bytes: Buffer | string, more: Partial<PutObject> = {}) =>
      store.putObject(putRequest('bucket', key, { bytes: Buffer.from(bytes) }, more));
    const get = (key: string) => readWhole(store, 'bucket', key);

    describe('buckets', () => {
      it('lists them by name, with owner and region', async () => {
        await store.createBucket({ name: 'another', owner: 'root', region: 'fsn1' });
        const buckets = await store.buckets();
        expect(buckets.map(({ name: bucket, owner, region }) => ({ bucket, owner, region }))).toEqual([
          { bucket: 'another', owner: 'root', region: 'fsn1' },
          { bucket: 'bucket', owner: 'root', region: 'us-east-1' },
        ]);
      });

      it('refuses a second one of the same name, and unknown ones', async () => {
        await refuses(store.createBucket({ name: 'bucket', owner: 'x', region: 'y' }), 'bucket-exists');
        await refuses(store.bucket('nowhere'), 'no-such-bucket');
        await refuses(store.deleteBucket('nowhere'), 'no-such-bucket');
      });

      it('creates one only once when many ask at the same time', async () => {
        const asked = Array.from({ length: 20 }, () =>
          store.createBucket({ name: 'race', owner: 'root', region: 'r' }).then(
            () => 1,
            () => 0,
          ),
        );
        expect((await Promise.all<number>(asked)).reduce((sum, won) => sum + won, 0)).toBe(1);
      });

      it('deletes only empty ones, and a new one of that name is empty', async () => {
        await put('k', 'v');
        await refuses(store.deleteBucket('bucket'), 'bucket-not-empty');
        await store.deleteObject({ bucket: 'bucket', key: 'k' });
        await store.deleteBucket('bucket');
        await refuses(put('k', 'v'), 'no-such-bucket');
        await store.createBucket({ name: 'bucket', owner: 'root', region: 'us-east-1' });
        expect((await list(store, {})).entries).toEqual([]);
      });
    });

    describe('configurations of buckets', () => {
      it('are kept by kind, replaced and removed', async () => {
        expect(await store.bucketConfiguration('bucket', 'policy')).toBeUndefined();
        await store.setBucketConfiguration('bucket', 'policy', '{"ü":1}');
        await store.setBucketConfiguration('bucket', 'cors', 'rules');
        expect(await store.bucketConfiguration('bucket', 'policy')).toBe('{"ü":1}');
        await store.setBucketConfiguration('bucket', 'policy', '{}');
        expect(await store.bucketConfiguration('bucket', 'policy')).toBe('{}');
        await store.setBucketConfiguration('bucket', 'policy', undefined);
        await store.setBucketConfiguration('bucket', 'policy', undefined);
        expect(await store.bucketConfiguration('bucket', 'policy')).toBeUndefined();
        expect(await store.bucketConfiguration('bucket', 'cors')).toBe('rules');
        await refuses(store.bucketConfiguration('nowhere', 'cors'), 'no-such-bucket');
        await refuses(store.setBucketConfiguration('nowhere', 'cors', 'x'), 'no-such-bucket');
      });

      it('come with the bucket and go with it', async () => {
        const configuration = [['tagging', 'a=b']] as const;
        await store.createBucket({ name: 'other', owner: 'root', region: 'r', configuration });
        expect(await store.bucketConfiguration('other', 'tagging')).toBe('a=b');
        expect(await store.bucketConfiguration('bucket', 'tagging')).toBeUndefined();
        await store.deleteBucket('other');
        await store.createBucket({ name: 'other', owner: 'root', region: 'r' });
        expect(await store.bucketConfiguration('other', 'tagging')).toBeUndefined();
      });
    });

    describe('objects', () => {
      it.each([0, 1, 1024, 40_000, 300_000, 3_000_000])('gives back %i bytes as they were', async (size) => {
        const bytes = randomBytes(size);
        const info = await put('key', bytes, {
          headers: { 'content-type': 'text/plain', 'cache-control': 'no-store' },
          metadata: { colour: 'grün' },
          tags: [['a', 'b']],
          storageClass: 'GLACIER_IR',
        });
        expect(info.etag).toBe(createHash('md5').update(bytes).digest('hex'));
        const opened = await store.openObject('bucket', 'key');
        expect(opened.info).toEqual(info);
        expect(opened.info).toMatchObject({ size, metadata: { colour: 'grün' }, storageClass: 'GLACIER_IR' });
        await opened.close();
        expect((await get('key')).equals(bytes)).toBe(true);
      });

      it('takes a body in chunks of any size, and reads any range of it', async () => {
        const bytes = randomBytes(1_000_000);
        await store.putObject(putRequest('bucket', 'k', { chunks: chunked(bytes, 7919), length: bytes.length }));
        const opened = await store.openObject('bucket', 'k');
        for (const [start, end] of [
          [0, 1],
          [999_999, 1_000_000],
          [262_143, 262_145],
          [5, 5],
          [100_000, 900_001],
        ] as const) {
          expect((await collect(opened.read(start, end))).equals(bytes.subarray(start, end))).toBe(true);
        }
        await opened.close();
      });

      it.each([
        ['fewer', 10],
        ['more', -10],
      ])('refuses %s bytes than declared, and leaves nothing', async (_, off) => {
        const bytes = randomBytes(500_000);
        const body = { chunks: chunked(bytes, 65_536), length: bytes.length + off };
        await refuses(store.putObject(putRequest('bucket', 'k', body)), 'incomplete-body');
        await refuses(store.objectInfo('bucket', 'k'), 'no-such-key');
      });

      it.each([100, 500_000])('keeps the old object when a body of %i bytes is not accepted', async (size) => {
        await put('k', 'old');
        const refusal = new Error('wrong digest');
        const refused = put('k', randomBytes(size), {
          accept() {
            throw refusal;
          },
        });
        await expect(refused).rejects.toBe(refusal);
        expect((await get('k')).toString()).toBe('old');
      });

      it('keeps the old object when the source breaks off', async () => {
        await put('k', 'old');
        async function* breaking() {
          yield randomBytes(400_000);
          throw new Error('connection reset');
        }
        await expect(
          store.putObject(putRequest('bucket', 'k', { chunks: breaking(), length: 800_000 })),
        ).rejects.toThrow('connection reset');
        expect((await get('k')).toString()).toBe('old');
      });

      it('computes the digests asked for, and stores the checksum accepted', async () => {
        for (const bytes of [randomBytes(10), randomBytes(600_000)]) {
          const info = await put('k', bytes, {
            digests: ['CRC32C', 'SHA256'],
            accept(digests) {
              expect(digests.get('SHA256')).toEqual(digestOf('SHA256', bytes));
              const crc = digests.get('CRC32C');
              return crc === undefined ? undefined : fullObjectChecksum('CRC32C', crc);
            },
          });
          const expected = fullObjectChecksum('CRC32C', digestOf('CRC32C', bytes));
          expect(info.checksum).toEqual(expected);
          expect((await store.objectInfo('bucket', 'k')).checksum).toEqual(expected);
        }
      });

      it('reads the object it opened, whatever happens to the key meanwhile', async () => {
        for (const size of [2000, 700_000]) {
          const bytes = randomBytes(size);
          await put('k', bytes);
          const opened = await store.openObject('bucket', 'k');
          await put('k', 'new');
          await store.deleteObject({ bucket: 'bucket', key: 'k' });
          await put('other', 'x');
          expect((await collect(opened.read(0, size))).equals(bytes)).toBe(true);
          await opened.close();
        }
      });

      it('deletes, and says whether there was something', async () => {
        await put('k', randomBytes(300_000));
        expect(await store.deleteObject({ bucket: 'bucket', key: 'k' })).toMatchObject({ deleted: true });
        expect(await store.deleteObject({ bucket: 'bucket', key: 'k' })).toMatchObject({ deleted: false });
        await refuses(store.openObject('bucket', 'k'), 'no-such-key');
      });

      it('shows a write to every later read', async () => {
        for (let round = 0; round < 50; round += 1) {
          await put('k', `value ${round}`);
          expect((await get('k')).toString()).toBe(`value ${round}`);
        }
      });

      it('replaces tags alone', async () => {
        await put('k', 'v', { metadata: { a: '1' } });
        await store.changeObject({ bucket: 'bucket', key: 'k', change: { tags: [['t', 'u']] } });
        expect(await store.objectInfo('bucket', 'k')).toMatchObject({
          tags: [['t', 'u']],
          metadata: { a: '1' },
          size: 1,
        });
        await store.changeObject({ bucket: 'bucket', key: 'k', change: { acl: 'public' } });
        expect(await store.objectInfo('bucket', 'k')).toMatchObject({ acl: 'public', tags: [['t', 'u']] });
        await refuses(store.changeObject({ bucket: 'bucket', key: 'nothing', change: { tags: [] } }), 'no-such-key');
      });
    });

    describe('conditional writes', () => {
      it('if none match: one winner among many', async () => {
        const asked = Array.from({ length: 20 }, (_, i) =>
          put('k', `${i}`, { condition: { ifNoneMatch: '*' } }).then(
            () => 1,
            (error: unknown) => (error instanceof StoreError && error.code === 'precondition-failed' ? 0 : 100),
          ),
        );
        expect((await Promise.all<number>(asked)).reduce((sum, won) => sum + won, 0)).toBe(1);
      });

      it('if match: only onto that version; not onto nothing', async () => {
        const first = await put('k', '1');
        await refuses(put('k', '2', { condition: { ifMatch: ['0'.repeat(32)] } }), 'precondition-failed');
        const second = await put('k', '2', { condition: { ifMatch: [first.etag] } });
        await refuses(put('k', '3', { condition: { ifMatch: [first.etag] } }), 'precondition-failed');
        await refuses(put('new', '1', { condition: { ifMatch: [first.etag] } }), 'no-such-key');
        const wrong = { bucket: 'bucket', key: 'k', condition: { ifMatch: [first.etag] } };
        await refuses(store.deleteObject(wrong), 'precondition-failed');
        await store.deleteObject({ bucket: 'bucket', key: 'k', condition: { ifMatch: [second.etag] } });
      });
    });

    describe('copies', () => {
      const copy = (from: string, to: string, more: object = {}) =>
        store.copyObject({
          source: { bucket: 'bucket', key: from },
          bucket: 'bucket',
          key: to,
          accept() {},
          attributes: {},
          checksumAlgorithm: undefined,
          ...more,
        });

      it.each([0, 5, 700_000])('of %i bytes outlive their source, and the other way round', async (size) => {
        const bytes = randomBytes(size);
        const source = await put('a', bytes, { metadata: { m: '1' } });
        const made = await copy('a', 'b');
        expect(made).toMatchObject({ etag: source.etag, metadata: { m: '1' }, size });
        await copy('b', 'c', { attributes: { metadata: { m: '2' } } });
        await store.deleteObject({ bucket: 'bucket', key: 'a' });
        await put('b', 'changed');
        expect((await get('c')).equals(bytes)).toBe(true);
        expect((await store.objectInfo('bucket', 'c')).metadata).toEqual({ m: '2' });
      });

      it('onto itself change what is asked for and keep the bytes', async () => {
        for (const size of [100, 500_000]) {
          const bytes = randomBytes(size);
          await put('a', bytes);
          await copy('a', 'a', { attributes: { headers: { 'content-type': 'image/png' } } });
          await copy('a', 'a', { attributes: { metadata: { x: 'y' } } });
          expect((await get('a')).equals(bytes)).toBe(true);
          expect(await store.objectInfo('bucket', 'a')).toMatchObject({
            headers: { 'content-type': 'image/png' },
            metadata: { x: 'y' },
          });
        }
      });

      it('get a checksum of the algorithm asked for', async () => {
        const bytes = randomBytes(400_000);
        await put('a', bytes);
        const made = await copy('a', 'b', { checksumAlgorithm: 'SHA1' });
        expect(made.checksum).toEqual(fullObjectChecksum('SHA1', digestOf('SHA1', bytes)));
      });

      it('of nothing are refused, and by the caller', async () => {
        await refuses(copy('nothing', 'b'), 'no-such-key');
        await put('a', '1');
        const accept = (source: ObjectInfo) => {
          throw new Error(`not ${source.etag}`);
        };
        await expect(copy('a', 'b', { accept })).rejects.toThrow('not c4ca4238a0b923820dcc509a6f75849b');
      });
    });

    describe('listings', () => {
      const keys = [
        'a',
        'a/b',
        'a//b',
        '../x',
        '/lead',
        'trail/',
        'a b',
        'ä',
        '\u{1f600}',
        '\ue000',
        'z',
        'a/b/c',
        '\u0001',
      ];

      it('are in the byte order of UTF-8', async () => {
        for (const key of keys) await put(key, key);
        const expected = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
        expect(await keysOf(store, {})).toEqual(expected);
      });

      it('page by page give the same as at once, with and without a delimiter', async () => {
        for (const key of keys) await put(key, key);
        for (const delimiter of ['', '/', 'b']) {
          for (const prefix of ['', 'a', 'a/', '../']) {
            const whole = await namesOf(store, { prefix, delimiter });
            for (const limit of [1, 2, 3]) {
              const paged: string[] = [];
              for (let after: string | undefined, more = true; more; ) {
                const page = await list(store, { prefix, delimiter, limit, after });
                paged.push(...page.entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.prefix)));
                after = paged.at(-1);
                more = page.truncated;
              }
              expect(paged).toEqual(whole);
            }
          }
        }
      });

      it('group by delimiter', async () => {
        for (const key of ['p/1', 'p/2', 'q', 'r/1/x', 'r/2/x']) await put(key, key);
        expect(await namesOf(store, { delimiter: '/' })).toEqual(['p/', 'q', 'r/']);
        expect(await namesOf(store, { delimiter: '/', prefix: 'r/' })).toEqual(['r/1/', 'r/2/']);
        expect(await namesOf(store, { delimiter: '/', after: 'p/' })).toEqual(['q', 'r/']);
        expect(await namesOf(store, { delimiter: '/', after: 'p/1' })).toEqual(['q', 'r/']);
        expect(await namesOf(store, { after: 'p/1' })).toEqual(['p/2', 'q', 'r/1/x', 'r/2/x']);
        expect(await list(store, { limit: 0 })).toEqual({ entries: [], truncated: false });
      });
    });

    describe('multipart uploads', () => {
      const begin = (key: string, more: object = {}) =>
        store.createUpload({
          bucket: 'bucket',
          key,
          headers: { 'content-type': 'application/x-test' },
          metadata: {},
          tags: [],
          storageClass: 'STANDARD',
          checksumAlgorithm: undefined,
          checksumType: undefined,
          ...more,
        });
      const part = async (key: string, uploadId: string, partNumber: number, bytes: Buffer): Promise<CompletePart> => {
        const info = await store.putPart({ ...putRequest('bucket', key, { bytes }), uploadId, partNumber });
        return { number: partNumber, etag: info.etag, checksum: info.checksum };
      };
      const complete = (key: string, uploadId: string, parts: readonly CompletePart[], more: object = {}) =>
        store.completeUpload({ bucket: 'bucket', key, uploadId, parts, checksum: undefined, size: undefined, ...more });

      it('become one object, of the parts chosen, in one commit', async () => {
        const { uploadId } = await begin('k');
        const bytes = [randomBytes(smallPart), randomBytes(smallPart + 1), randomBytes(10)] as const;
        await part('k', uploadId, 2, randomBytes(100));
        const parts = [
          await part('k', uploadId, 1, bytes[0]),
          await part('k', uploadId, 2, bytes[1]),
          await part('k', uploadId, 7, bytes[2]),
        ];
        await part('k', uploadId, 5, randomBytes(50));
        await refuses(store.objectInfo('bucket', 'k'), 'no-such-key');
        await refuses(store.deleteBucket('bucket'), 'bucket-not-empty');
        const info = await complete('k', uploadId, parts);
        const md5s = bytes.map((each) => createHash('md5').update(each).digest());
        expect(info.etag).toBe(`${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3`);
        expect(info.parts?.map(({ number, offset, size }) => [number, offset, size])).toEqual([
          [1, 0, smallPart],
          [2, smallPart, smallPart + 1],
          [7, 2 * smallPart + 1, 10],
        ]);
        expect((await get('k')).equals(Buffer.concat(bytes))).toBe(true);
        const opened = await store.openObject('bucket', 'k');
        const range = await collect(opened.read(smallPart - 5, smallPart + 5));
        expect(range.equals(Buffer.concat(bytes).subarray(smallPart - 5, smallPart + 5))).toBe(true);
        await opened.close();
        await refuses(store.upload('bucket', 'k', uploadId), 'no-such-upload');
        // A client that lost the answer asks again.
        expect((await complete('k', uploadId, parts)).etag).toBe(info.etag);
      });

      it('completed by many at once become one object, and all get the same answer', async () => {
        const { uploadId } = await begin('k');
        const parts = [await part('k', uploadId, 1, randomBytes(10))];
        const answers = await Promise.all(Array.from({ length: 5 }, () => complete('k', uploadId, parts)));
        const [{ etag, versionId, modified } = {}] = answers;
        for (const answer of answers) expect(answer).toMatchObject({ etag, versionId, modified });
        expect((await store.usage())[0]).toMatchObject({ objects: 1, bytes: 10 });
      });

      it('refuse what does not fit, and lose nothing by it', async () => {
        const { uploadId } = await begin('k');
        const small = await part('k', uploadId, 1, randomBytes(10));
        const last = await part('k', uploadId, 2, randomBytes(10));
        await refuses(complete('k', uploadId, [small, last]), 'part-too-small');
        await refuses(complete('k', uploadId, [{ ...small, etag: '0'.repeat(32) }]), 'invalid-part');
        await refuses(complete('k', uploadId, [{ ...small, number: 3 }]), 'invalid-part');
        await refuses(complete('k', uploadId, [small], { size: 11 }), 'size-mismatch');
        await refuses(complete('k', '0'.repeat(32), [small]), 'no-such-upload');
        await refuses(complete('other', uploadId, [small]), 'no-such-upload');
        expect((await complete('k', uploadId, [last], { size: 10 })).size).toBe(10);
      });

      it('can be listed, part by part, and aborted', async () => {
        const { uploadId } = await begin('k');
        for (const number of [3, 1, 2]) await part('k', uploadId, number, randomBytes(number));
        const page = (after: number, limit: number) =>
          store.listParts({ bucket: 'bucket', key: 'k', uploadId, after, limit });
        expect(await page(0, 2)).toMatchObject({ parts: [{ number: 1, size: 1 }, { number: 2 }], truncated: true });
        expect(await page(2, 2)).toMatchObject({ parts: [{ number: 3, size: 3 }], truncated: false });
        await store.abortUpload('bucket', 'k', uploadId);
        await refuses(store.abortUpload('bucket', 'k', uploadId), 'no-such-upload');
        await refuses(part('k', uploadId, 1, randomBytes(1)), 'no-such-upload');
        await store.deleteBucket('bucket');
      });

      it('are listed by key and age, page by page', async () => {
        const begun: string[] = [];
        for (const key of ['b', 'a/1', 'a/2', 'a/1']) begun.push(`${key} ${(await begin(key)).uploadId}`);
        const read = async (delimiter: string, limit: number) => {
          const names: string[] = [];
          let after: { key: string; uploadId: string | undefined } | undefined;
          for (let more = true; more; ) {
            const page = await store.listUploads({ bucket: 'bucket', prefix: '', delimiter, after, limit });
            for (const entry of page.entries) {
              if (entry.kind === 'prefix') {
                names.push(entry.prefix);
                after = { key: entry.prefix, uploadId: undefined };
              } else {
                names.push(`${entry.upload.key} ${entry.upload.uploadId}`);
                after = { key: entry.upload.key, uploadId: entry.upload.uploadId };
              }
            }
            more = page.truncated;
          }
          return names;
        };
        const all = await read('', 100);
        expect([...all].sort()).toEqual([...begun].sort());
        expect(all.map((name) => name.split(' ')[0])).toEqual(['a/1', 'a/1', 'a/2', 'b']);
        expect(await read('', 1)).toEqual(all);
        expect(await read('/', 1)).toEqual(['a/', all[3]]);
      });

      it('combine the checksums of their parts', async () => {
        const bytes = [randomBytes(smallPart), randomBytes(77)] as const;
        const whole = Buffer.concat(bytes);
        const full = { checksumAlgorithm: 'CRC64NVME', checksumType: 'FULL_OBJECT' };
        const first = await begin('full', full);
        const parts = [
          await part('full', first.uploadId, 1, bytes[0]),
          await part('full', first.uploadId, 2, bytes[1]),
        ];
        const expected = fullObjectChecksum('CRC64NVME', digestOf('CRC64NVME', whole));
        const wrong = { checksum: { ...expected, value: 'AAAAAAAAAAA=' } };
        await refuses(complete('full', first.uploadId, parts, wrong), 'checksum-mismatch');
        const info = await complete('full', first.uploadId, parts, { checksum: expected });
        expect(info.checksum).toEqual(expected);

        const second = await begin('composite', { checksumAlgorithm: 'SHA256', checksumType: 'COMPOSITE' });
        const shaParts = [
          await part('composite', second.uploadId, 1, bytes[0]),
          await part('composite', second.uploadId, 2, bytes[1]),
        ];
        const composite = await complete('composite', second.uploadId, shaParts);
        const digests = Buffer.concat(bytes.map((each) => digestOf('SHA256', each)));
        expect(composite.checksum).toEqual({
          algorithm: 'SHA256',
          type: 'COMPOSITE',
          value: `${digestOf('SHA256', digests).toString('base64')}-2`,
        });
      });

      it('can be copied: the copy is an ordinary object', async () => {
        const { uploadId } = await begin('k');
        const bytes = [randomBytes(smallPart), randomBytes(77)] as const;
        const parts = [await part('k', uploadId, 1, bytes[0]), await part('k', uploadId, 2, bytes[1])];
        await complete('k', uploadId, parts);
        const source = { bucket: 'bucket', key: 'k' };
        const copied = await store.copyObject({
          source,
          bucket: 'bucket',
          key: 'copy',
          accept() {},
          attributes: {},
          checksumAlgorithm: undefined,
        });
        const whole = Buffer.concat(bytes);
        expect(copied.etag).toBe(createHash('md5').update(whole).digest('hex'));
        expect(copied.parts).toBeUndefined();
        await store.deleteObject(source);
        expect((await get('copy')).equals(whole)).toBe(true);
      });
    });

    describe('usage', () => {
      it('counts what is there after every kind of change', async () => {
        const usage = async () => (await store.usage()).find(({ bucket }) => bucket === 'bucket');
        expect(await usage()).toMatchObject({ objects: 0, bytes: 0 });
        await Promise.all([put('a', randomBytes(10)), put('b', randomBytes(300_000)), put('a', randomBytes(20))]);
        await put('a', randomBytes(30));
        await put('c', randomBytes(5));
        await store.deleteObject({ bucket: 'bucket', key: 'c' });
        expect(await usage()).toMatchObject({ objects: 2, bytes: 300_030 });
      });
    });
  });
}

function list(store: ObjectStore, more: object) {
  return store.listObjects({ bucket: 'bucket', prefix: '', delimiter: '', after: undefined, limit: 1000, ...more });
}

async function namesOf(store: ObjectStore, more: object): Promise<readonly string[]> {
  return (await list(store, more)).entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.prefix));
}

const keysOf = namesOf;
