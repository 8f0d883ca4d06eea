import { expect, test } from 'vitest';
import { DAY, HOUR } from '../core/durations.ts';
import type { Snapshot } from './repository/model.ts';
import { snapshotKey } from './repository/names.ts';
import { judge, type SourceStatus } from './status.ts';

const now = Date.UTC(2026, 10, 26);

function statusAt(time: number, change: Partial<SourceStatus> = {}): SourceStatus {
  const lastGood: Snapshot = {
    version: 1,
    id: '0123456789abcdef',
    source: 'node',
    sequence: 7,
    host: 'host',
    path: '/node',
    time,
    method: 'files',
    content: { kind: 'directory', tree: { name: '0'.repeat(64), bytes: 1 } },
    read: 1,
    added: { raw: 1, stored: 1 },
    took: 1,
  };
  const newest = { ...lastGood, key: snapshotKey(lastGood) };
  const drill = { time, snapshot: lastGood.id, ok: true, age: 0, restored: { took: 5, bytes: 1, requests: 1 } };
  return { source: 'node', newest, lastGood, snapshots: 1, drill, ...change };
}

const found = (status: SourceStatus, rpo?: number) => judge(status, now, rpo).map(({ id, status: is }) => [id, is]);
const well = [
  ['last-good', 'ok'],
  ['drill', 'ok'],
];

test('within its objective a source is well, and a minute too old it is not', () => {
  expect(found(statusAt(now - HOUR), HOUR)).toEqual(well);
  expect(found(statusAt(now - HOUR - 1), HOUR)[0]).toEqual(['last-good', 'fail']);
  expect(found(statusAt(now - 900 * DAY))).toEqual(well);
});

test('nothing that can be restored is a failure, whatever the objective', () => {
  expect(found(statusAt(now, { newest: undefined, lastGood: undefined, snapshots: 0 }))[0]).toEqual([
    'last-good',
    'fail',
  ]);
});

test('a newest one that cannot be read is told besides the last good one', () => {
  const broken = { key: 'snapshots/x', id: 'fedcba9876543210', sequence: 8, time: now };
  expect(found(statusAt(now - HOUR, { newest: broken, snapshots: 2 }))).toEqual([['unreadable', 'fail'], ...well]);
});

test('a time that is yet to come is a clock that was wrong', () => {
  expect(found(statusAt(now + HOUR))).toEqual([['clock', 'warn'], ...well]);
  // Clocks of hosts differ by a little.
  expect(found(statusAt(now + 1000))).toEqual(well);
});

test('a source that was never restored is warned of, and a drill that failed is a failure with its reason', () => {
  expect(found(statusAt(now, { drill: undefined }))[1]).toEqual(['drill', 'warn']);
  const drill = { time: now - HOUR, snapshot: '0', ok: false, age: 0, problem: 'packs/1 is missing' };
  expect(judge(statusAt(now, { drill }), now)[1]).toMatchObject({
    status: 'fail',
    found: expect.stringContaining('packs/1 is missing'),
  });
});
