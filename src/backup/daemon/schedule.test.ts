import { expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../core/durations.ts';
import { pauseOf, repeat } from './schedule.ts';

test('nodes that started together do not stay together', () => {
  expect([0, 0.5, 1].map((random) => pauseOf(MINUTE, 0, random))).toEqual([57 * SECOND, MINUTE, 63 * SECOND]);
});

test('after failures the wait doubles, to five minutes or the interval, whichever is more', () => {
  const pauses = (every: number) => [0, 1, 2, 3, 5, 50].map((failures) => pauseOf(every, failures, 0.5) / SECOND);
  expect(pauses(10 * SECOND)).toEqual([10, 20, 40, 80, 300, 300]);
  expect(pauses(60 * MINUTE)).toEqual([3600, 3600, 3600, 3600, 3600, 3600]);
});

test('what fails is told and done again, until it is stopped', async () => {
  const stop = new AbortController();
  const told: unknown[] = [];
  let turns = 0;
  const task = async () => {
    turns += 1;
    if (turns === 4) stop.abort();
    if (turns % 2 === 1) throw new Error(`turn ${turns}`);
  };
  await repeat({ every: 1, first: 0, task, failed: (error) => told.push(String(error)), stop: stop.signal });
  expect([turns, told]).toEqual([4, ['Error: turn 1', 'Error: turn 3']]);
});
