import { digestOf } from '../checksum/index.ts';
import { readXml } from '../client/index.ts';
import { encodeChunks } from '../sigv4/index.ts';
import { described, no, partial, refused, succeeded, type Verdict, yes } from './model.ts';
import type { Scratch } from './scratch.ts';

export async function objectTagging(scratch: Scratch, bucket: string): Promise<Verdict> {
  const key = 'tagged';
  const put = await scratch.send({
    method: 'PUT',
    bucket,
    key,
    query: '',
    body: 'x',
    headers: { 'x-amz-tagging': 'probe=yes' },
  });
  if (!succeeded(put)) return refused(put);
  const tags = await scratch.send({ method: 'GET', bucket, key, query: 'tagging=' });
  if (!succeeded(tags)) return refused(tags);
  if (readXml(tags.body)?.name !== 'Tagging') return no('asked for its tags, it answers something else');
  return /<Key>probe<\/Key>\s*<Value>yes<\/Value>/.test(tags.body)
    ? yes('sent with an upload and read back')
    : no('accepted with a 200, and not kept');
}

/** Racing uploads of which one may win. */
const RACERS = 8;

/** By the bytes that are there afterwards and a race, never by a 200. */
export async function conditionalPut(scratch: Scratch, bucket: string): Promise<Verdict> {
  const put = (key: string, body: string, headers: Readonly<Record<string, string>>) =>
    scratch.send({ method: 'PUT', bucket, key, query: '', body, headers, once: true });
  const first = await put('conditional', 'first', { 'if-none-match': '*' });
  if (!succeeded(first)) return refused(first);
  const second = await put('conditional', 'second', { 'if-none-match': '*' });
  if ((await bytes(scratch, bucket, 'conditional')) !== 'first')
    return no('If-None-Match: * is ignored: the object was overwritten');
  if (second.status !== 412) return no(`If-None-Match: * on what exists is answered ${described(second)}`);
  const race = await Promise.all(
    Array.from({ length: RACERS }, (_, racer) => put('raced', String(racer), { 'if-none-match': '*' })),
  );
  const winners = race.filter(succeeded).length;
  if (winners !== 1) return no(`of ${RACERS} uploads at once with If-None-Match: *, ${winners} were accepted`);
  const quoted = await ifMatch(scratch, bucket, (etag) => `"${etag}"`);
  if (quoted === undefined) return yes('If-None-Match: * and If-Match hold, also in a race');
  const bare = await ifMatch(scratch, bucket, (etag) => etag);
  return partial(
    bare === undefined
      ? 'If-None-Match: * holds, also in a race; If-Match wants the bare ETag'
      : `If-None-Match: * holds, also in a race; If-Match: ${quoted}`,
  );
}

/** What is wrong with If-Match, written as `spell` does. */
async function ifMatch(scratch: Scratch, bucket: string, spell: (etag: string) => string): Promise<string | undefined> {
  const key = 'matched';
  const first = await scratch.send({ method: 'PUT', bucket, key, query: '', body: 'first' });
  const put = (body: string) =>
    scratch.send({
      method: 'PUT',
      bucket,
      key,
      query: '',
      body,
      headers: { 'if-match': spell((first.headers.etag ?? '').replaceAll('"', '')) },
      once: true,
    });
  const right = await put('second');
  if (!succeeded(right)) return `the right ETag is answered ${described(right)}`;
  const stale = await put('third');
  if (stale.status === 412) return undefined;
  return (await bytes(scratch, bucket, key)) === 'third' ? 'ignored' : `a stale ETag is answered ${described(stale)}`;
}

export async function conditionalComplete(scratch: Scratch, bucket: string): Promise<Verdict> {
  const key = 'completed';
  await scratch.send({ method: 'PUT', bucket, key, query: '', body: 'first' });
  const begun = await scratch.send({ method: 'POST', bucket, key, query: 'uploads=' });
  const id = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.body)?.[1];
  if (!succeeded(begun) || id === undefined) return refused(begun);
  const upload = `uploadId=${encodeURIComponent(id)}`;
  const part = await scratch.send({ method: 'PUT', bucket, key, query: `partNumber=1&${upload}`, body: 'second' });
  if (!succeeded(part)) return refused(part);
  const etag = (part.headers.etag ?? '').replaceAll('"', '');
  const completed = await scratch.send({
    method: 'POST',
    bucket,
    key,
    query: upload,
    headers: { 'if-none-match': '*', 'content-type': 'application/xml' },
    body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber><ETag>"${etag}"</ETag></Part></CompleteMultipartUpload>`,
    once: true,
  });
  if ((await bytes(scratch, bucket, key)) !== 'first')
    return no('If-None-Match: * is ignored: the object was overwritten');
  // Some answer 200 and the refusal in the body, since completing takes long.
  return completed.status === 412 || /PreconditionFailed/.test(completed.body)
    ? yes('If-None-Match: * holds')
    : refused(completed);
}

const content = Buffer.from('what the checksum is of');

export async function defaultChecksums(scratch: Scratch, bucket: string): Promise<Verdict> {
  const put = (of: Buffer) =>
    scratch.send({
      method: 'PUT',
      bucket,
      key: 'checked',
      query: '',
      body: content,
      headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32(of) },
    });
  const right = await put(content);
  if (!succeeded(right)) return refused(right);
  const wrong = await put(Buffer.from('something else'));
  return succeeded(wrong)
    ? partial('accepted, but a wrong one is ignored')
    : yes(`a wrong one is refused (${described(wrong)})`);
}

/** Unsigned chunks only: a wrongly signed trailer ends the process of one gateway. */
export async function chunkedTrailer(scratch: Scratch, bucket: string): Promise<Verdict> {
  const put = async (of: Buffer) => {
    const trailers = () => new Map([['x-amz-checksum-crc32', crc32(of)]]);
    const chunks: Buffer[] = [];
    for await (const chunk of encodeChunks([content], { seed: undefined, trailers })) chunks.push(chunk);
    return scratch.send({
      method: 'PUT',
      bucket,
      key: 'chunked',
      query: '',
      body: Buffer.concat(chunks),
      payload: { kind: 'streaming', signed: false, trailer: true },
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': String(content.length),
        'x-amz-sdk-checksum-algorithm': 'CRC32',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    });
  };
  const right = await put(content);
  if (!succeeded(right)) return refused(right);
  const back = await scratch.send({ method: 'GET', bucket, key: 'chunked', query: '' });
  if (back.body !== content.toString()) return no('accepted, and the framing is stored as the object');
  const faults: string[] = [];
  if ((back.headers['content-encoding'] ?? '').includes('aws-chunked'))
    faults.push('the object keeps Content-Encoding: aws-chunked');
  if (succeeded(await put(Buffer.from('something else')))) faults.push('a wrong checksum is ignored');
  return faults.length === 0
    ? yes('taken, and a wrong checksum refused')
    : partial(`taken, but ${faults.join(', and ')}`);
}

const crc32 = (of: Buffer): string => digestOf('CRC32', of).toString('base64');

async function bytes(scratch: Scratch, bucket: string, key: string): Promise<string> {
  return (await scratch.send({ method: 'GET', bucket, key, query: '' })).body;
}
