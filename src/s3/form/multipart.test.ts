import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../errors.ts';
import { boundaryOf, readForm } from './multipart.ts';

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let step = 0; at < bytes.length; step += 1) {
    const size = sizes.length === 0 ? bytes.length : (sizes[step % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const field = (name: string, value: string, boundary = 'B') =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (content: string, disposition = 'name="file"; filename="a.txt"') =>
  `--B\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--B--\r\n`;

async function read(text: string | Buffer, sizes: readonly number[] = []) {
  const form = await readForm(pieces(Buffer.from(text), sizes), 'B');
  const content: Buffer[] = [];
  for await (const chunk of form.file.chunks) content.push(Buffer.from(chunk));
  return { fields: Object.fromEntries(form.fields), name: form.file.name, content: Buffer.concat(content) };
}

const code = (text: string | Buffer) =>
  read(text).then(
    () => 'accepted',
    (error: unknown) => (error instanceof S3Error ? error.code : String(error)),
  );

describe('readForm', () => {
  it('gives fields and file back however they arrive', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .array(fc.constantFrom('\r', '\n', '-', 'B', '--B', '\r\n--', '\r\n-', 'x'), { maxLength: 40 })
        .map((parts) => Buffer.from(parts.join(''))),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(content, sizes, async (bytes, some) => {
        fc.pre(!bytes.includes('\r\n--B'));
        const body = Buffer.concat([
          Buffer.from(`${field('Key', 'ä/b')}${field('x-amz-meta-A', '')}${file('MARK').split('MARK')[0]}`),
          bytes,
          Buffer.from('\r\n--B--\r\nan epilogue'),
        ]);
        const form = await read(body, some);
        expect(form).toEqual({ fields: { key: 'ä/b', 'x-amz-meta-a': '' }, name: 'a.txt', content: bytes });
      }),
    );
  });

  it('holds one chunk of a large file, not the file', async () => {
    const chunk = randomBytes(64 * 1024);
    let given = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from(file('MARK').split('MARK')[0] ?? '');
      for (; given < 256; given += 1) yield chunk;
      yield Buffer.from('\r\n--B--');
    }
    const form = await readForm(endless(), 'B');
    let size = 0;
    for await (const piece of form.file.chunks) {
      size += piece.length;
      expect(given * chunk.length - size).toBeLessThanOrEqual(chunk.length);
    }
    expect(size).toBe(256 * chunk.length);
  });

  it.each([
    ['name="file"; filename="C:\\\\temp\\\\ä.txt"', 'ä.txt'],
    ['name="file"; filename="a \\"b\\".txt"', 'a "b".txt'],
    ['name=file; filename=plain.txt', 'plain.txt'],
    ['name="file"; filename="../../etc/passwd"', 'passwd'],
    ['name="file"; filename*=utf-8\'\'%C3%A4%20b', 'ä b'],
    ['name="file"', ''],
  ])('reads %s', async (disposition, name) => {
    expect((await read(file('x', disposition))).name).toBe(name);
  });

  it.each([
    ['nothing', '', 'MalformedPOSTRequest'],
    ['no boundary', 'hello', 'MalformedPOSTRequest'],
    ['no file', `${field('key', 'k')}--B--\r\n`, 'InvalidArgument'],
    ['a file that does not end', file('content').slice(0, -10), 'MalformedPOSTRequest'],
    ['a field that does not end', field('key', 'k').slice(0, -3), 'MalformedPOSTRequest'],
    ['a field given twice', `${field('key', 'a')}${field('KEY', 'b')}${file('x')}`, 'MalformedPOSTRequest'],
    ['a part without a name', '--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--', 'MalformedPOSTRequest'],
    ['a part without a disposition', '--B\r\nA: b\r\n\r\nx\r\n--B--', 'MalformedPOSTRequest'],
    ['rubbish behind a boundary', `--Bx\r\n${file('x')}`, 'MalformedPOSTRequest'],
    [
      'a field that is not UTF-8',
      Buffer.concat([
        Buffer.from(field('key', 'k').slice(0, -3)),
        Buffer.from([0xff]),
        Buffer.from(`\r\n${file('x')}`),
      ]),
      'MalformedPOSTRequest',
    ],
    ['a long field', `${field('key', 'k'.repeat(21_000))}${file('x')}`, 'MaxPostPreDataLengthExceededError'],
    [
      'many long fields',
      `${['a', 'b', 'c'].map((name) => field(name, 'k'.repeat(9000))).join('')}${file('x')}`,
      'MaxPostPreDataLengthExceededError',
    ],
    [
      'many fields',
      `${Array.from({ length: 101 }, (_, at) => field(`f${at}`, '')).join('')}${file('x')}`,
      'MaxPostPreDataLengthExceededError',
    ],
    ['endless headers', `--B\r\nA: ${'b'.repeat(10_000)}`, 'MaxPostPreDataLengthExceededError'],
  ])('refuses %s', async (_, text, expected) => {
    expect(await code(text)).toBe(expected);
  });

  it('answers a form or a refusal for anything', async () => {
    const soup = fc.array(
      fc.constantFrom(
        '--B',
        '\r\n',
        '--',
        'Content-Disposition: form-data',
        '; name=',
        '"',
        'file',
        '\\',
        '\r\n\r\n',
        'x',
        ';',
        '=',
      ),
      { maxLength: 30 },
    );
    const known = ['accepted', 'MalformedPOSTRequest', 'InvalidArgument', 'MaxPostPreDataLengthExceededError'];
    await fc.assert(fc.asyncProperty(soup, async (parts) => known.includes(await code(parts.join('')))));
  });
});

it.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', 'a b'],
  ['multipart/form-data', undefined],
  ['multipart/form-data; boundary=', undefined],
  [`multipart/form-data; boundary=${'a'.repeat(71)}`, undefined],
  ['application/json; boundary=abc', undefined],
  [undefined, undefined],
])('boundaryOf %s', (type, boundary) => {
  expect(boundaryOf(type)).toBe(boundary);
});
