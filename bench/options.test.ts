import { expect, test } from 'vitest';
import { UsageError } from '../src/core/errors.ts';
import { parseOptions } from './options.ts';
import { cellIds, serverIds } from './plan.ts';

test('everything by default', () => {
  const options = parseOptions([]);
  expect(options.servers).toEqual(serverIds);
  expect(options.cells).toEqual(cellIds);
  expect(options).toMatchObject({ rounds: 3, seconds: 1, clients: [1, 16, 64], write: false });
});

test('clients are sorted, each once', () => {
  expect(parseOptions(['--clients', '64,1,16,64']).clients).toEqual([1, 16, 64]);
});

test('--quick is shorter, and single options still win over it', () => {
  const quick = parseOptions(['--quick', '--rounds', '2']);
  expect(quick.rounds).toBe(2);
  expect(quick.cells).not.toContain('put64m');
});

test.each([
  [['--only', 'ozone']],
  [['--cells', 'put2k']],
  [['--rounds', '0']],
  [['--seconds', '1.5']],
  [['--clients', '1,,2']],
  [['--nonsense']],
])('%j is refused', (args) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
});
