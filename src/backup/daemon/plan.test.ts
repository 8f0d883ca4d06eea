import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../core/durations.ts';
import { parseDaemonPlan } from './plan.ts';

test('the example is read', () => {
  const file = join(import.meta.dirname, '../../../deploy/backup/backup.yaml');
  const plan = parseDaemonPlan(readFileSync(file, 'utf8'), file);
  expect(plan.sets).toMatchObject([
    { name: 'projection', every: 10 * SECOND, rpo: MINUTE, sources: [{ kind: 'mdbx', method: 'auto' }] },
    { name: 'runner', every: HOUR, sources: [{ kind: 'mdbx' }, { kind: 'directory' }] },
  ]);
  expect(plan).toMatchObject({ drill: { every: 7 * DAY }, verify: { every: DAY, share: 0.1 } });
});

const set = '{ name: a, sources: [{ name: a, path: /a }] }';
test.each([
  ['', 'the file'],
  ['sets: []', 'sets'],
  [`sets: [${set}`, 'flow'],
  [`sets: [${set}]\nsecrets: x`, 'secrets'],
  [`sets: [{ name: a, every: soon, sources: [{ name: a, path: /a }] }]`, 'sets.0.every: must be a duration'],
  [`sets: [{ name: a, every: 10ms, sources: [{ name: a, path: /a }] }]`, 'at least 1s'],
  ['sets: [{ name: a, sources: [{ name: ../a, path: /a }] }]', 'sets.0.sources.0.name'],
  ['sets: [{ name: a, sources: [{ name: a, path: /a, method: dd }] }]', 'sets.0.sources.0.method'],
  [`sets: [${set}, { name: b, sources: [{ name: a, path: /b }] }]`, 'the source a is in it twice'],
  [`sets: [${set}, { name: a, sources: [{ name: b, path: /b }] }]`, 'the set a is in it twice'],
  [`sets: [${set}]\nprune: { keep: {} }`, 'prune.keep needs at least one rule'],
  [`sets: [${set}]\nverify: { share: 200% }`, 'verify.share'],
  [`sets: [${set}]\nlisten: here`, 'listen: must be host:port'],
])('%j is refused in one line, with what is wrong', (text, what) => {
  expect(() => parseDaemonPlan(text, 'backup.yaml')).toThrow(
    expect.objectContaining({ code: 'configuration', message: expect.stringMatching(/^backup\.yaml: [^\n]+$/) }),
  );
  expect(() => parseDaemonPlan(text, 'backup.yaml')).toThrow(new RegExp(what.replaceAll('.', '\\.'), 'i'));
});
