import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListVersions, ObjectStore, PutObject, VersionEntry, VersioningStatus } from '../../src/store/index.ts';
import { putRequest, readWhole, refuses } from './requests.ts';

/** What every ObjectStore must do with versions. `now` sets the time that the store sees, in milliseconds. */
export function describeVersions(
  name: string,
  open: () => Promise<{ store: ObjectStore; setNow(milliseconds: number): void; discard(): Promise<void> }>,
): void {
  describe(`${name}: versions`, () => {
    let store: ObjectStore;
    let setNow: (milliseconds: number) => void;
    let discard: () => Promise<void>;

    beforeEach(async () => {
      ({ store, setNow, discard } = await open());
      await store.createBucket({ name: 'bucket', owner: 'root', region: 'us-east-1' });
    });
    afterEach(() => discard());

    const versioning = (status: VersioningStatus) => store.setVersioning('bucket', status);
    const put = (key: string, text: string | Buffer, more: Partial<PutObject> = {}) =>
      store.putObject(putRequest('bucket', key, { bytes: Buffer.from(text) }, more));
    const get = async (key: string, versionId?: string) =>
      (await readWhole(store, 'bucket', key, versionId)).toString();
    const remove = (key: string, versionId?: string) => store.deleteObject({ bucket: 'bucket', key, versionId });
    const versionsOf = async (more: Partial<ListVersions> = {}) =>
      (await listVersions(store, more)).entries.map(shortly);

    it('are made by writes only where they are enabled', async () => {
      expect((await store.bucket('bucket')).versioning).toBeUndefined();
      expect((await put('k', 'plain')).versionId).toBeUndefined();
      await versioning('Enabled');
      expect((await store.bucket('bucket')).versioning).toBe('Enabled');
      expect((await store.objectInfo('bucket', 'k')).versionId).toBe('null');
      const second = (await put('k', 'second')).versionId ?? '';
      const third = (await put('k', 'third')).versionId ?? '';
      expect(new Set(['null', second, third]).size).toBe(3);
      expect([await get('k'), await get('k', 'null'), await get('k', second), await get('k', third)]).toEqual([
        'third',
        'plain',
        'second',
        'third',
      ]);
      expect(await versionsOf()).toEqual([`k ${third} latest`, `k ${second}`, 'k null']);
      expect(await keysOf(store)).toEqual(['k']);
      await versioning('Suspended');
      expect((await put('k', 'fourth')).versionId).toBe('null');
      expect(await versionsOf()).toEqual(['k null latest', `k ${third}`, `k ${second}`]);
      expect(await get('k', 'null')).toBe('fourth');
    });

    it('stay in order when the clock stands still or goes back', async () => {
      await versioning('Enabled');
      setNow(5_000_000);
      const made = [(await put('k', '0')).versionId, (await put('k', '1')).versionId];
      setNow(1_000_000);
      made.push((await put('k', '2')).versionId, (await remove('k')).versionId, (await put('k', '4')).versionId);
      expect((await versionsOf()).map((text) => text.split(' ')[1])).toEqual(made.toReversed());
    });

    it('of a key are named differently although one was deleted in between', async () => {
      await versioning('Enabled');
      setNow(5_000_000);
      const first = (await put('k', '0')).versionId ?? '';
      await remove('k', first);
      expect((await put('k', '1')).versionId).not.toBe(first);
      await refuses(store.objectInfo('bucket', 'k', first), 'no-such-version');
    });

    it('outlive a delete, which leaves a marker', async () => {
      await versioning('Enabled');
      const first = (await put('k', 'text')).versionId ?? '';
      const deleted = await remove('k');
      expect(deleted).toMatchObject({ deleted: true, deleteMarker: true });
      const marker = deleted.versionId ?? '';
      await expect(store.openObject('bucket', 'k')).rejects.toMatchObject({
        code: 'no-such-key',
        deleteMarker: { versionId: marker },
      });
      await refuses(store.openObject('bucket', 'k', marker), 'delete-marker');
      await refuses(store.objectInfo('bucket', 'k', marker), 'delete-marker');
      expect(await get('k', first)).toBe('text');
      expect(await keysOf(store)).toEqual([]);
      expect(await versionsOf()).toEqual([`k ${marker} latest marker`, `k ${first}`]);
      expect(await remove('k', marker)).toEqual({ deleted: true, versionId: marker, deleteMarker: true });
      expect(await get('k')).toBe('text');
      expect(await keysOf(store)).toEqual(['k']);
    });

    it('pile up markers, also of what never was', async () => {
      await versioning('Enabled');
      const markers = [(await remove('k')).versionId, (await remove('k')).versionId];
      expect(await versionsOf()).toEqual([`k ${markers[1]} latest marker`, `k ${markers[0]} marker`]);
      await refuses(store.deleteBucket('bucket'), 'bucket-not-empty');
      for (const marker of markers) await remove('k', marker);
      await store.deleteBucket('bucket');
    });

    it('become current again when what is newer goes', async () => {
      await versioning('Enabled');
      const ids: string[] = [];
      for (const text of ['1', '2', '3', '4']) ids.push((await put('k', text)).versionId ?? '');
      await remove('k', ids[3]);
      expect(await get('k')).toBe('3');
      await remove('k', ids[1]);
      expect(await get('k')).toBe('3');
      await remove('k', ids[2]);
      expect(await get('k')).toBe('1');
      expect(await remove('k', ids[2])).toEqual({ deleted: false, versionId: ids[2], deleteMarker: false });
      await remove('k', ids[0]);
      await refuses(store.objectInfo('bucket', 'k'), 'no-such-key');
      expect(await versionsOf()).toEqual([]);
      await store.deleteBucket('bucket');
    });

    it('have one null version, which suspended writes and deletes replace wherever it is', async () => {
      await put('k', 'plain');
      await versioning('Enabled');
      const named = (await put('k', 'named')).versionId ?? '';
      await versioning('Suspended');
      await put('k', 'null again');
      expect(await versionsOf()).toEqual(['k null latest', `k ${named}`]);
      expect(await remove('k')).toEqual({ deleted: true, versionId: 'null', deleteMarker: true });
      expect(await versionsOf()).toEqual(['k null latest marker', `k ${named}`]);
      await remove('k');
      expect(await versionsOf()).toEqual(['k null latest marker', `k ${named}`]);
      await versioning('Enabled');
      const newest = (await put('k', 'newest')).versionId ?? '';
      expect(await versionsOf()).toEqual([`k ${newest} latest`, 'k null marker', `k ${named}`]);
      await versioning('Suspended');
      await put('k', 'last');
      expect(await versionsOf()).toEqual(['k null latest', `k ${newest}`, `k ${named}`]);
      await remove('k', 'null');
      expect(await get('k')).toBe('newest');
    });

    it('are refused when they are not there, or no version ids', async () => {
      await versioning('Enabled');
      const { versionId = '' } = await put('k', '1');
      const other = versionId.slice(0, -1) + (versionId.endsWith('0') ? '1' : '0');
      await refuses(store.openObject('bucket', 'k', other), 'no-such-version');
      await refuses(store.openObject('bucket', 'k', 'null'), 'no-such-version');
      await refuses(store.openObject('bucket', 'another', versionId), 'no-such-version');
      for (const text of ['', 'abc', '../../x', 'z'.repeat(32), 'f'.repeat(32)]) {
        await refuses(store.openObject('bucket', 'k', text), 'invalid-version');
        await refuses(remove('k', text), 'invalid-version');
      }
    });

    it('take conditions of the current one, for which a marker is nothing', async () => {
      await versioning('Enabled');
      const { etag } = await put('k', '1');
      await remove('k');
      await refuses(put('k', '2', { condition: { ifMatch: [etag] } }), 'no-such-key');
      await put('k', '2', { condition: { ifNoneMatch: '*' } });
      await refuses(put('k', '3', { condition: { ifNoneMatch: '*' } }), 'precondition-failed');
      await put('k', '3', { condition: { ifMatch: '*' } });
    });

    it('share bodies with copies, each keeping what it needs', async () => {
      await versioning('Enabled');
      await store.createBucket({ name: 'plain', owner: 'root', region: 'r' });
      for (const size of [5, 700_000]) {
        const bytes = randomBytes(size);
        const first = (await put('k', bytes, { metadata: { m: '1' } })).versionId ?? '';
        const second = (await put('k', 'other')).versionId ?? '';
        const copied = await store.copyObject({
          source: { bucket: 'bucket', key: 'k', versionId: first },
          bucket: 'plain',
          key: 'copy',
          accept: ({ versionId }) => expect(versionId).toBe(first),
          attributes: {},
          checksumAlgorithm: undefined,
        });
        expect(copied).toMatchObject({ versionId: undefined, metadata: { m: '1' } });
        await remove('k', first);
        await remove('k', second);
        expect((await readWhole(store, 'plain', 'copy')).equals(bytes)).toBe(true);
      }
    });

    it('take tags each by itself', async () => {
      await versioning('Enabled');
      const first = (await put('k', '1')).versionId ?? '';
      const second = (await put('k', '2')).versionId ?? '';
      const change = (versionId: string | undefined, tag: string) =>
        store.changeObject({ bucket: 'bucket', key: 'k', versionId, change: { tags: [['t', tag]] } });
      expect((await change(first, 'old')).versionId).toBe(first);
      expect((await change(undefined, 'new')).versionId).toBe(second);
      const tagsOf = async (versionId?: string) => (await store.objectInfo('bucket', 'k', versionId)).tags;
      expect([await tagsOf(first), await tagsOf()]).toEqual([[['t', 'old']], [['t', 'new']]]);
      expect(await get('k', first)).toBe('1');
      const { versionId: marker } = await remove('k');
      await refuses(change(marker, 'x'), 'delete-marker');
      await refuses(change(undefined, 'x'), 'no-such-key');
    });

    it('are made by completed uploads', async () => {
      await versioning('Enabled');
      const first = (await put('k', 'first')).versionId ?? '';
      const begun = { ...putRequest('bucket', 'k', { bytes: Buffer.alloc(0) }), checksumType: undefined };
      const { uploadId } = await store.createUpload({ ...begun, checksumAlgorithm: undefined });
      const request = { bucket: 'bucket', key: 'k', uploadId };
      const part = await store.putPart({
        ...putRequest('bucket', 'k', { bytes: Buffer.from('part') }),
        ...request,
        partNumber: 1,
      });
      const complete = { ...request, parts: [part], checksum: undefined, size: undefined };
      const made = (await store.completeUpload(complete)).versionId ?? '';
      expect(await versionsOf()).toEqual([`k ${made} latest`, `k ${first}`]);
      await put('k', 'later');
      // Repeated, because the answer was lost: the same version, although it is not the current one any more.
      expect((await store.completeUpload(complete)).versionId).toBe(made);
      await remove('k', made);
      await refuses(store.completeUpload(complete), 'no-such-upload');
    });

    it('count with their bytes', async () => {
      await versioning('Enabled');
      const first = (await put('k', '12345')).versionId;
      await put('k', '123');
      expect(await store.usage()).toEqual([{ bucket: 'bucket', objects: 1, bytes: 8 }]);
      await remove('k');
      expect(await store.usage()).toEqual([{ bucket: 'bucket', objects: 0, bytes: 8 }]);
      await remove('k', first);
      expect(await store.usage()).toEqual([{ bucket: 'bucket', objects: 0, bytes: 3 }]);
      for (const entry of (await listVersions(store, {})).entries) {
        if (entry.kind !== 'prefix') await remove(entry.key, entry.versionId);
      }
      expect(await store.usage()).toEqual([{ bucket: 'bucket', objects: 0, bytes: 0 }]);
    });

    it('are locked until their retention ends, by the clock', async () => {
      await refuses(store.setObjectLock('bucket', {}), 'versioning-required');
      await refuses(put('k', '1', { legalHold: true }), 'no-object-lock');
      await versioning('Enabled');
      const day = 24 * 60 * 60 * 1000;
      const leap = Date.UTC(2028, 1, 29, 12);
      setNow(leap);
      await store.setObjectLock('bucket', { defaultRetention: { mode: 'COMPLIANCE', years: 1 } });
      await refuses(versioning('Suspended'), 'versioning-locked');
      await refuses(put('k', '0', { retention: { mode: 'COMPLIANCE', until: leap } }), 'retention-past');
      const first = await put('k', '1');
      expect(first.retention).toEqual({ mode: 'COMPLIANCE', until: Date.UTC(2029, 2, 1, 12) });
      const short = await put('k', '2', { retention: { mode: 'COMPLIANCE', until: leap + day } });
      const hold = await put('k', '3', { retention: { mode: 'GOVERNANCE', until: leap + day }, legalHold: true });
      setNow(leap + day - 1);
      await refuses(remove('k', short.versionId), 'object-locked');
      setNow(leap + day);
      await remove('k', short.versionId);
      await refuses(remove('k', hold.versionId), 'object-locked');
      await store.changeObject({ bucket: 'bucket', key: 'k', change: { legalHold: false } });
      await remove('k', hold.versionId);
      await refuses(remove('k', first.versionId), 'object-locked');
      setNow(Date.UTC(2029, 2, 1, 12));
      await remove('k', first.versionId);
      expect(await versionsOf()).toEqual([]);
    });

    it('are listed page by page as at once, with prefix and delimiter', async () => {
      const keys = ['a', 'a/b', 'a\u0001', 'a/c/1', 'a/c/2', 'b', 'ä', '\u{1f600}', '\ue000'];
      for (const key of keys) await put(key, 'plain');
      await versioning('Enabled');
      for (const key of keys) {
        await put(key, '1');
        if (key !== 'b') await remove(key);
        if (key.includes('c')) await put(key, '2');
      }
      await remove('never');
      const byBytes = [...keys, 'never'].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      const listed = (await listVersions(store, {})).entries.map((entry) => (entry.kind === 'prefix' ? '' : entry.key));
      expect([...new Set(listed)]).toEqual(byBytes);
      for (const delimiter of ['', '/', 'c']) {
        for (const prefix of ['', 'a', 'a/']) {
          const whole = await versionsOf({ prefix, delimiter });
          expect(whole.filter((text) => text.includes('latest')).length).toBe(
            new Set(whole.filter((text) => text.includes(' ')).map((text) => text.split(' ')[0])).size,
          );
          for (const limit of [1, 2, 3])
            expect(await pagedVersions(store, { prefix, delimiter, limit })).toEqual(whole);
        }
      }
    });

    it('go on being listed after one that was deleted between two pages', async () => {
      await versioning('Enabled');
      const ids: string[] = [];
      for (const text of ['1', '2', '3', '4']) ids.push((await put('k', text)).versionId ?? '');
      await remove('k', ids[2]);
      const rest = await versionsOf({ after: { key: 'k', versionId: ids[2] } });
      expect(rest).toEqual([`k ${ids[1]}`, `k ${ids[0]}`]);
      expect(await versionsOf({ after: { key: 'k', versionId: undefined } })).toEqual([]);
      expect(await versionsOf({ after: { key: 'j', versionId: undefined } })).toHaveLength(3);
    });
  });
}

function listVersions(store: ObjectStore, more: Partial<ListVersions>) {
  return store.listVersions({ bucket: 'bucket', prefix: '', delimiter: '', after: undefined, limit: 1000, ...more });
}

async function keysOf(store: ObjectStore): Promise<readonly string[]> {
  const all = { bucket: 'bucket', prefix: '', delimiter: '', after: undefined, limit: 1000 };
  return (await store.listObjects(all)).entries.map((entry) => (entry.kind === 'object' ? entry.key : entry.prefix));
}

function shortly(entry: VersionEntry): string {
  if (entry.kind === 'prefix') return entry.prefix;
  const marker = entry.kind === 'delete-marker' ? ' marker' : '';
  return `${entry.key} ${entry.versionId}${entry.isLatest ? ' latest' : ''}${marker}`;
}

async function pagedVersions(store: ObjectStore, request: Partial<ListVersions>): Promise<readonly string[]> {
  const paged: string[] = [];
  for (let after: ListVersions['after'], more = true; more && paged.length < 1000; ) {
    const page = await listVersions(store, { ...request, after });
    paged.push(...page.entries.map(shortly));
    const last = page.entries.at(-1);
    if (last !== undefined) {
      after =
        last.kind === 'prefix'
          ? { key: last.prefix, versionId: undefined }
          : { key: last.key, versionId: last.versionId };
    }
    more = page.truncated;
  }
  return paged;
}
