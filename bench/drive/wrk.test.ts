import { expect, test } from 'vitest';
import { parseSummary } from './wrk.ts';

test("wrk's summary in our units", () => {
  const line =
    '{"issued":101,"requests":100,"microseconds":500000,"bytes":9,"p50":1500,"p99":2500,"max":3,"status":4,"socket":1}';
  expect(parseSummary(line)).toEqual({ issued: 101, answered: 100, seconds: 0.5, p50Ms: 1.5, p99Ms: 2.5, errors: 5 });
});

test('a summary without its numbers is refused', () => {
  expect(() => parseSummary('{"issued":"1"}')).toThrow('issued');
  expect(() => parseSummary('null')).toThrow('summary');
});
