import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, fingerprint, oddTree, readTree, writeTree } from './content.ts';
import { freePorts } from './ports.ts';
import { CommandFailed, run } from './run.ts';
import { temporaryDirectory } from './temporary.ts';

test('bytesOf depends on its seed and has the length asked for', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(300), (seed, length) => {
      const bytes = bytesOf(seed, length);
      expect(bytes).toHaveLength(length);
      expect(bytesOf(seed, length)).toEqual(bytes);
    }),
  );
  expect(bytesOf('a', 64)).not.toEqual(bytesOf('b', 64));
});

test('a tree read back from disk has the same fingerprint, and another tree has not', async () => {
  await using directory = await temporaryDirectory('tree');
  await writeTree(directory.path, oddTree());
  expect(fingerprint(await readTree(directory.path))).toEqual(fingerprint(oddTree()));
  await writeTree(directory.path, { 'empty.txt': Buffer.from('no longer') });
  expect(fingerprint(await readTree(directory.path))).not.toEqual(fingerprint(oddTree()));
});

test('run gives output and input, and refuses exit codes nobody allowed', async () => {
  const echoed = await run('cat', [], { input: 'hello' });
  expect(echoed.stdout).toBe('hello');
  await expect(run('sh', ['-c', 'echo because >&2; exit 3'])).rejects.toThrow(/exit code 3[\s\S]*because/);
  expect((await run('sh', ['-c', 'exit 3'], { allow: [3] })).code).toBe(3);
  await expect(run('/no/such/program', [])).rejects.toBeInstanceOf(CommandFailed);
});

test('run ends a program that takes too long, with what it started', async () => {
  const started = Date.now();
  await expect(run('sh', ['-c', 'sleep 60 & wait'], { timeoutMs: 200 })).rejects.toThrow(/longer than 200 ms/);
  expect(Date.now() - started).toBeLessThan(5_000);
});

test('freePorts gives distinct ports', async () => {
  expect(new Set(await freePorts(5)).size).toBe(5);
});
