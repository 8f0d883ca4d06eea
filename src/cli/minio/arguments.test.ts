import fc from 'fast-check';
import { expect, test } from 'vitest';
import { directoryProblem, parseMinioArguments } from './arguments.ts';
import { harmlessOptions, refusedOptions } from './variables.ts';

test.each([
  [['/data', '--console-address', ':9001']],
  [['--console-address', ':9001', '/data']],
  [['--console-address=:9001', '/data']],
  [['-console-address', ':9001', '--quiet', '/data']],
])('%j is one directory and a console address', (args) => {
  expect(parseMinioArguments(args)).toMatchObject({ directories: ['/data'], consoleAddress: ':9001', problems: [] });
});

test('everything unsupported is named, at once, and its value is no directory', () => {
  const { problems, directories } = parseMinioArguments([
    '--certs-dir',
    '/c',
    '--sftp=x',
    '--nope',
    '/data',
    '--address',
  ]);
  expect(problems.map(({ name }) => name)).toEqual(['--certs-dir', '--sftp', '--nope', '--address']);
  expect(directories).toEqual(['/data']);
});

test.each([
  [['/a', '/b'], 'erasure coding'],
  [['/data{1...4}'], 'erasure coding'],
  [['http://node{1...4}/data'], 'distributed'],
  [['https://a/data', 'https://b/data'], 'distributed'],
])('%j is refused as %s', (directories, why) => {
  expect(directoryProblem(directories)).toContain(why);
});
test('one directory, or none, is not refused here', () => {
  expect([directoryProblem([]), directoryProblem(['/data'])]).toEqual([undefined, undefined]);
});

test('options in any order leave the directories as they are', () => {
  const directory = fc.stringMatching(/^\/[a-z0-9./-]{0,20}$/);
  const options = [...harmlessOptions, ...[...refusedOptions].map(([name, [kind]]) => [name, kind] as const)];
  const option = fc.constantFrom(...options).chain(([name, kind]): fc.Arbitrary<readonly string[]> => {
    if (kind === 'flag') return fc.constant([`--${name}`]);
    return fc.constantFrom<(readonly string[])[]>([`--${name}`, 'value'], [`-${name}=value`]);
  });
  const single = directory.map((text): readonly string[] => [text]);
  const words = fc.array(fc.oneof(single, option));
  fc.assert(
    fc.property(words, (list) => {
      const expected = list.filter((word) => word.length === 1 && word[0]?.startsWith('/')).flat();
      expect(parseMinioArguments(list.flat()).directories).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('any words at all are parsed without a throw', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (args) => {
      const { directories, ignored, problems } = parseMinioArguments(args);
      expect(directories.length + ignored.length + problems.length).toBeLessThanOrEqual(args.length);
    }),
  );
});
