import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseClientArguments } from './arguments.ts';

test.each([
  ['mc alias set m http://minio:9000 key secret --api S3v4', 'alias set', ['m', 'http://minio:9000', 'key', 'secret']],
  ['mc config host add m http://minio:9000 key secret', 'alias set', ['m', 'http://minio:9000', 'key', 'secret']],
  ['mc --quiet mb -p m/one m/two', 'mb', ['m/one', 'm/two']],
  ['mc mb --ignore-existing --region=eu m/one', 'mb', ['m/one']],
  ['mc policy set public m/one', 'anonymous set', ['public', 'm/one']],
  ['mc admin user add m name secret', 'admin user', ['add', 'm', 'name', 'secret']],
  ['mc rm -r m/one', 'rm', ['m/one']],
])('%s', (line, command, operands) => {
  expect(parseClientArguments(line.split(' ').slice(1))).toMatchObject({ command, operands, unknown: [] });
});

test('what is not known is named, without its value', () => {
  expect(parseClientArguments(['mb', '--with-lock', '--x=secret', 'm/b']).unknown).toEqual(['--with-lock', '--x']);
});

test('any words at all are parsed without a throw, and none becomes two', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('alias', 'set', '-p', '--region', 'mb'))), (args) => {
      const { operands, unknown } = parseClientArguments(args);
      expect(operands.length + unknown.length).toBeLessThanOrEqual(args.length);
    }),
  );
});
