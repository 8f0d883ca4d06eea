import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/core/errors.ts';
import type { CellId, ServerId } from '../plan.ts';
import { beginMarker, endMarker, renderReport, replaceBetweenMarkers } from './document.ts';
import { comparable, type Report, type Sample, summarise } from './report.ts';
import { figure, rateTable, table } from './tables.ts';
import { judge } from './targets.ts';

function sample(server: ServerId, cell: CellId, opsPerSecond: number, more: Partial<Sample> = {}): Sample {
  const latency = { p50Ms: 1, p99Ms: 2, cpuMs: 3 };
  return {
    server,
    cell,
    clients: 64,
    round: 0,
    opsPerSecond,
    ...latency,
    done: 1000,
    errors: 0,
    resident: 1,
    mapped: 0,
    ...more,
  };
}

function reportOf(...samples: Sample[]): Report {
  const ids = [...new Set(samples.map(({ server }) => server))];
  return {
    command: 'npm run bench',
    date: '2026-01-02T03:04:05.000Z',
    machine: { cores: 2, processor: 'P', memoryGiB: 8, kernel: '6', filesystem: 'ext4', node: 'v20', loadBefore: 0 },
    rounds: 1,
    seconds: 1,
    servers: ids.map((id) => ({ id, label: `the ${id}`, idle: 1, filled: 2 })),
    missing: [],
    samples,
  };
}

const against = (report: Report, words: string) => judge(report).find(({ target }) => target.includes(words));

describe('summarise', () => {
  test('takes the median over rounds, and the peak of memory', () => {
    const rounds = [10, 30, 20].map((rate, round) => sample('ours', 'put1k', rate, { round, resident: rate }));
    expect(summarise(rounds, 'ours', 'put1k', 64)).toMatchObject({
      opsPerSecond: { median: 20, min: 10, max: 30 },
      resident: 30,
      done: 3000,
    });
    expect(summarise(rounds, 'ours', 'put1k', 1)).toBeUndefined();
  });

  test.each([
    ['few errors are tolerated', { errors: 5 }, true],
    ['many are not', { errors: 50 }, false],
    ['nothing done is no rate', { done: 0 }, false],
    ['wrong bytes are no rate', { problem: 'check: GET answered 200 and 3 bytes' }, false],
  ])('%s', (_, more, kept) => {
    const summary = summarise([sample('ours', 'put1k', 10, more)], 'ours', 'put1k', 64);
    expect(comparable(summary) !== undefined).toBe(kept);
  });
});

describe('targets', () => {
  test('a ratio on the line is met, one below is missed', () => {
    const file = sample('file', 'put1k', 1000);
    expect(against(reportOf(file, sample('ours', 'put1k', 1300)), 'file ceiling')).toMatchObject({
      verdict: 'met',
      measured: 1.3,
    });
    expect(against(reportOf(file, sample('ours', 'put1k', 1299)), 'file ceiling')?.verdict).toBe('missed');
  });

  test('without a number of ours nothing is met', () => {
    expect(against(reportOf(sample('rgw', 'get1k', 10)), 'ahead of rgw')?.verdict).toBe('unmeasured');
    const failing = sample('ours', 'get1k', 9999, { problem: 'check: wrong' });
    expect(against(reportOf(sample('rgw', 'get1k', 10), failing), 'ahead of rgw')?.verdict).toBe('missed');
  });

  test('a peer that fails the work is beaten, and that is said', () => {
    const report = reportOf(sample('ours', 'put64m', 5), sample('fauxqs', 'put64m', 0, { done: 0, errors: 20 }));
    expect(against(report, 'ahead of fauxqs')).toMatchObject({ verdict: 'met', note: 'fauxqs fails this: errors' });
  });

  test('bulk cells are judged at each number of clients, small ones at the highest', () => {
    const levels = [1, 64].flatMap((clients) => [
      sample('ours', 'put1m', 7, { clients }),
      sample('file', 'put1m', 10, { clients }),
      sample('ours', 'put1k', 7, { clients }),
      sample('file', 'put1k', 10, { clients }),
    ]);
    const judged = judge(reportOf(...levels)).filter(({ target }) => target.includes('file ceiling'));
    expect(judged.map(({ clients, verdict }) => [clients, verdict])).toEqual([
      [64, 'missed'],
      [1, 'met'],
      [64, 'met'],
    ]);
  });
});

describe('tables', () => {
  test.each([
    [12345.6, '12,346'],
    [123.4, '123'],
    [12.34, '12.3'],
    [1.234, '1.23'],
    [Number.NaN, '—'],
  ])('%d is %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  test('a bar or a line break in a cell does not break the row', () => {
    expect(table(['a'], [['x|y\nz']])).toBe('| a |\n| --- |\n| x\\|y z |');
  });

  test('large bodies are megabytes a second, failures are named, ratios only where both count', () => {
    const text = rateTable(
      reportOf(
        sample('ours', 'put1m', 100),
        sample('rgw', 'put1m', 50),
        sample('fauxqs', 'put1m', 0, { done: 0, errors: 7 }),
      ),
    );
    expect(text.split('\n').at(-1)).toBe('| PUT 1 MiB | 64 | MB/s | 105 | fails (7) | 52.4 | — | 2.00× |');
  });
});

describe('the page', () => {
  test('is replaced between its markers only', () => {
    const page = `before\n${beginMarker}\nold\n${endMarker}\nafter\n`;
    const text = renderReport(reportOf(sample('ours', 'put1k', 1)));
    expect(replaceBetweenMarkers(page, text)).toBe(`before\n${beginMarker}\n${text}\n${endMarker}\nafter\n`);
    expect(text).toContain('Measured 2026-01-02 by `npm run bench`');
  });

  test('without markers is left alone', () => {
    expect(() => replaceBetweenMarkers('a page', 'x')).toThrow(UsageError);
  });
});
