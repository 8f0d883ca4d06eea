import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { resumeFile } from './resumable-file.ts';

const token = '0123456789abcdef';

test('goes on with what was noted after its bytes, and with nothing else', async () => {
  await using directory = await temporaryDirectory('resume');
  const file = join(directory.path, 'file');
  const first = await resumeFile(file, token);
  await first.write(Buffer.from('one'), 0);
  first.note('a');
  await first.checkpoint();
  await first.write(Buffer.from('two'), 3);
  first.note('b');
  // Killed here: what no checkpoint has seen does not count, nor half a line.
  const [notes] = (await readdir(directory.path)).filter((name) => name.endsWith('.done'));
  await appendFile(join(directory.path, notes ?? ''), 'c');
  const second = await resumeFile(file, token);
  expect([...second.done]).toEqual(['a']);
  await second.write(Buffer.from('two'), 3);
  second.note('b');
  await second.suspend();
  const third = await resumeFile(file, token);
  expect([...third.done]).toEqual(['a', 'cb']);
  await third.commit();
  expect(await readFile(file, 'utf8')).toBe('onetwo');
  expect(await readdir(directory.path)).toEqual(['file']);
});

test('does not take what is for another content, and leaves nothing when it is discarded', async () => {
  await using directory = await temporaryDirectory('resume');
  const file = join(directory.path, 'file');
  const first = await resumeFile(file, token);
  first.note('a');
  await first.suspend();
  const other = await resumeFile(file, 'fedcba9876543210');
  expect(other.done.size).toBe(0);
  await other.discard();
  const again = await resumeFile(file, token);
  expect([...again.done]).toEqual(['a']);
  await again.discard();
  expect(await readdir(directory.path)).toEqual([]);
  await rm(file, { force: true });
});
