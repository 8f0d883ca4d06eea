import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { encodeChunks, presign } from '../../src/sigv4/index.ts';
import { owner, region, signed, signedHeaders, startService, type WireService } from './service.ts';

describe('attacks', () => {
  let s3: WireService;
  beforeAll(async () => {
    s3 = await startService();
    await s3.ask('PUT', '/bucket');
    await s3.ask('PUT', '/other');
    await s3.ask('PUT', '/bucket/key', { body: 'kept' });
    await s3.ask('PUT', '/other/secret', { body: 'secret' });
  });
  afterAll(() => s3[Symbol.asyncDispose]());

  /** Bytes as they are, and all that comes back until the server closes or has answered. */
  async function raw(text: string, until = /<\/Error>|HTTP\/1\.1 20\d[\s\S]*\r\n\r\n/): Promise<string> {
    const socket = await s3.connect();
    let answer = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (until.test(answer)) socket.end();
    });
    socket.write(text);
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 5000).unref())]);
    socket.destroy();
    return answer;
  }

  const lines = (headers: Record<string, string>) =>
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');

  describe('on signatures', () => {
    it('a signature cannot be taken off, moved to another request, or keep a header that came later', async () => {
      const headers = signedHeaders(s3.port, 'PUT', '/bucket/forged', { body: 'x' });
      const { authorization = '', ...bare } = headers;
      const send = (target: string, given: Record<string, string>, method = 'PUT', body = 'x') =>
        raw(`${method} ${target} HTTP/1.1\r\n${lines(given)}Content-Length: ${body.length}\r\n\r\n${body}`);
      expect(await send('/bucket/forged', bare)).toContain('AccessDenied');
      expect(await send('/bucket/key', headers)).toContain('SignatureDoesNotMatch');
      expect(await send('/bucket/forged', headers, 'POST')).toMatch(/SignatureDoesNotMatch|AccessDenied/);
      expect(await send('/bucket/forged?acl', headers)).toContain('SignatureDoesNotMatch');
      expect(await send('/bucket/forged', headers, 'PUT', 'y')).toContain('XAmzContentSHA256Mismatch');
      expect(await send('/bucket/forged', { ...headers, 'x-amz-acl': 'public-read' })).toContain('AccessDenied');
      const fewer = authorization.replace(/SignedHeaders=[^,]*/, 'SignedHeaders=host');
      expect(await send('/bucket/forged', { ...headers, authorization: fewer })).toContain('<Code>AccessDenied');
      const none = authorization.replace(/Signature=.*/, 'Signature=');
      expect(await send('/bucket/forged', { ...headers, authorization: none })).toContain(
        'AuthorizationHeaderMalformed',
      );
      expect((await s3.ask('HEAD', '/bucket/forged')).status).toBe(404);
      expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
    });

    it('chunks of a signed stream cannot be replayed, swapped, left out or changed', async () => {
      const target = '/bucket/chunked';
      const payload = { kind: 'streaming', signed: true, trailer: false } as const;
      const chunked = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '16' };
      const { headers, seed } = signed(s3.port, 'PUT', target, { payload, headers: chunked });
      const send = (body: string) =>
        raw(`PUT ${target} HTTP/1.1\r\n${lines(headers)}Content-Length: ${body.length}\r\n\r\n${body}`);
      const forged = `8;chunk-signature=${'0'.repeat(64)}\r\nAAAAAAAA\r\n`;
      const end = `0;chunk-signature=${'0'.repeat(64)}\r\n\r\n`;
      for (const body of [forged + forged + end, forged + end, end, '8\r\nAAAAAAAA\r\n8\r\nAAAAAAAA\r\n0\r\n\r\n']) {
        expect(await send(body)).toMatch(/SignatureDoesNotMatch|IncompleteBody|InvalidChunkSizeError|InvalidRequest/);
      }
      // The same with chunks that were signed for this very request.
      const chunks: string[] = [];
      for await (const chunk of encodeChunks([Buffer.from('AAAAAAAABBBBBBBB')], { seed, chunkSize: 8 })) {
        chunks.push(chunk.toString('latin1'));
      }
      const [first = '', second = '', ...last] = chunks;
      const rest = last.join('');
      const bodies = [
        first + first + rest,
        second + first + rest,
        second + second + rest,
        first + rest,
        first + second.replace('BBBBBBBB', 'BBBBBBBC') + rest,
        first + second,
      ];
      for (const body of bodies) expect(await send(body)).toMatch(/SignatureDoesNotMatch|IncompleteBody/);
      const other = signed(s3.port, 'PUT', '/bucket/other', { payload, headers: chunked });
      const taken = `PUT /bucket/other HTTP/1.1\r\n${lines(other.headers)}Content-Length: ${(first + second + rest).length}\r\n\r\n`;
      expect(await raw(taken + first + second + rest)).toContain('SignatureDoesNotMatch');
      expect((await s3.ask('HEAD', target)).status).toBe(404);
      expect((await s3.ask('HEAD', '/bucket/other')).status).toBe(404);
      expect(await send(first + second + rest)).toMatch(/^HTTP\/1\.1 200/);
      expect((await s3.ask('GET', target)).text).toBe('AAAAAAAABBBBBBBB');
    });

    it('a presigned URL does what was signed, and nothing else', async () => {
      const signer = { accessKeyId: owner.accessKeyId, secret: owner.secret, region, now: Date.now() };
      const host = `127.0.0.1:${s3.port}`;
      const url = `/bucket/key?${presign({ method: 'GET', rawPath: '/bucket/key', rawQuery: '', headers: { host } }, 60, signer)}`;
      const get = (target: string, method = 'GET', as = 'anonymous' as const) => s3.ask(method, target, { as });
      expect((await get(url)).text).toBe('kept');
      const tampered = [
        url.replace('/bucket/key', '/other/secret'),
        url.replace('/bucket/key', '/bucket/../other/secret'),
        url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'),
        `${url}&response-content-type=text/html`,
        `${url}&versionId=null`,
        `${url}&X-Amz-Expires=6000`,
        url.replace('X-Amz-Signature', 'x-amz-signature'),
        url.replace(/X-Amz-Signature=../, 'X-Amz-Signature=00'),
        url.replace(/&X-Amz-SignedHeaders=[^&]*/, ''),
      ];
      for (const target of tampered) {
        const answer = await get(target);
        expect(answer.status, target).toBeGreaterThanOrEqual(400);
        expect(['kept', 'secret']).not.toContain(answer.text);
      }
      expect((await get(url, 'DELETE')).status).toBe(403);
      expect((await get(url, 'PUT')).status).toBe(403);
      const stolen = { ...signer, secret: new Secret('guessed') };
      const guess = `/bucket/key?${presign({ method: 'GET', rawPath: '/bucket/key', rawQuery: '', headers: { host } }, 60, stolen)}`;
      expect((await get(guess)).code).toBe('SignatureDoesNotMatch');
      expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
    });
  });

  describe('on HTTP', () => {
    const smuggled = 'DELETE /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n';
    it.each([
      ['both lengths', 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 0', ''],
      ['a signed length', 'Content-Length: +5', ''],
      ['a negative length', 'Content-Length: -1', ''],
      ['another coding', 'Transfer-Encoding: xchunked', '0\r\n\r\n'],
      ['a hidden coding', 'Transfer-Encoding : chunked', '0\r\n\r\n'],
      ['a folded header', 'X-A: b\r\n Transfer-Encoding: chunked', ''],
      ['a bare line feed', 'X-A: b\nTransfer-Encoding: chunked', ''],
      ['a NUL', 'X-A: b\0', ''],
      ['a long chunk size', 'Transfer-Encoding: chunked', 'fffffffffffffffff\r\n'],
    ])('%s never lets a second request in', async (_, header, body) => {
      const answer = await raw(
        `PUT /bucket/smuggled HTTP/1.1\r\nHost: h\r\n${header}\r\n\r\n${body}${smuggled}`,
        /HTTP[\s\S]*HTTP/,
      );
      expect(answer).not.toMatch(/HTTP\/1\.1 2/);
      expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
      expect((await s3.ask('HEAD', '/bucket/smuggled')).status).toBe(404);
    });
  });

  describe('on names', () => {
    it('no key leaves its bucket, and none becomes a file name', async () => {
      const before = await readdir(s3.directory);
      const targets = [
        '../escaped',
        '%2e%2e/escaped',
        '..%2fescaped',
        'a/..%2F..%2F..%2Fescaped',
        '%2Fetc%2Fpasswd',
        './dot',
        'a//b',
        '%5c..%5cescaped',
        '~root',
        'CON',
        '%0a',
      ];
      for (const key of targets) {
        const target = `/bucket/${key}`;
        expect((await s3.ask('PUT', target, { body: key })).status, key).toBe(200);
        expect((await s3.ask('GET', target)).text).toBe(key);
      }
      const listed = (await s3.ask('GET', '/bucket?list-type=2')).text;
      expect(listed).toContain('<Key>../escaped</Key>');
      expect((await s3.ask('GET', '/other?list-type=2')).text).not.toContain('escaped');
      expect(await readdir(s3.directory)).toEqual(before);
      const files = await readdir(s3.directory, { recursive: true });
      expect(files.filter((name) => /escaped|passwd|dot$/.test(name))).toEqual([]);
    });

    it.each([
      '/..',
      '/%2e%2e',
      '/.',
      '/a',
      '/bucket%2f..',
      '/BUCKET',
      '/bucket%00',
      '/192.168.0.1',
      '/xn--bucket',
      '/a..b',
      `/${'a'.repeat(64)}`,
    ])('the bucket %s is refused', async (target) => {
      const answer = await s3.ask('PUT', target);
      expect([answer.status, answer.code]).toEqual([400, expect.stringMatching(/InvalidBucketName|InvalidURI/)]);
    });
  });

  describe('on parsers', () => {
    const entities = Array.from({ length: 10 }, (_, at) => `<!ENTITY a${at + 1} "${`&a${at};`.repeat(10)}">`).join('');
    const bomb = `<!DOCTYPE x [<!ENTITY a0 "lol">${entities}]>`;
    const documents: readonly (readonly [what: string, xml: (root: string) => string])[] = [
      ['a billion laughs', (root) => `${bomb}<${root}>&a10;</${root}>`],
      ['an external entity', (root) => `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><${root}>&a;</${root}>`],
      ['a deep nest', (root) => `<${root}>${'<a>'.repeat(20_000)}`],
      ['a long attribute', (root) => `<${root} a="${'x'.repeat(60_000)}"><b/></${root}>`],
      [
        'many attributes',
        (root) => `<${root} ${Array.from({ length: 5000 }, (_, at) => `a${at}=""`).join(' ')}><b/></${root}>`,
      ],
      ['an unclosed comment', (root) => `<${root}><!--${'-'.repeat(60_000)}`],
      ['no UTF-8', (root) => `<?xml version="1.0" encoding="UTF-16"?><${root}>`],
    ];
    const places: readonly (readonly [method: string, target: string, root: string])[] = [
      ['POST', '/bucket?delete', 'Delete'],
      ['PUT', '/bucket?tagging', 'Tagging'],
      ['PUT', '/bucket?cors', 'CORSConfiguration'],
      ['PUT', '/bucket?versioning', 'VersioningConfiguration'],
      ['PUT', '/bucket?lifecycle', 'LifecycleConfiguration'],
      ['PUT', '/bucket?ownershipControls', 'OwnershipControls'],
      ['PUT', '/bucket/key?tagging', 'Tagging'],
      ['PUT', '/created', 'CreateBucketConfiguration'],
    ];
    const cases = documents.flatMap(([what, xml]) => places.map(([...place]) => ({ what, xml, place })));
    it.each(cases)('$what is refused by $place', async ({ xml, place: [method, target, root] }) => {
      const body = xml(root);
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      const answer = await s3.ask(method, target, { body, headers });
      expect(answer.status).toBe(400);
      expect(['MalformedXML', 'MaxMessageLengthExceeded', 'InvalidRequest']).toContain(answer.code);
      expect(answer.text).not.toContain('root:');
    });

    // An expression that backtracks would keep the one thread for longer than any test waits.
    const nasty: readonly (readonly [name: string, value: string])[] = [
      ['range', `bytes=${' '.repeat(12_000)}1`],
      ['range', `bytes=${'1'.repeat(12_000)}-x`],
      ['if-match', `${'"a",'.repeat(3000)}"`],
      ['if-none-match', 'W/"'.repeat(4000)],
      ['if-modified-since', `${'Sun, '.repeat(3000)}`],
      ['x-amz-copy-source', `/bucket/${'?versionId='.repeat(1200)}!`],
      ['x-amz-copy-source', `${'/'.repeat(12_000)}`],
      ['x-amz-tagging', `${'a=b&'.repeat(3000)}%`],
      ['content-encoding', `${'aws-chunked,'.repeat(1000)}${' '.repeat(2000)}`],
      ['x-amz-grant-read', `id="${' '.repeat(12_000)}`],
      ['cookie', `${'a='.repeat(6000)}`],
      ['origin', `https://${'a.'.repeat(6000)}`],
    ];
    it.each(nasty)('%s with a nasty value is answered', async (name, value) => {
      const answer = await s3.ask(name.startsWith('x-amz') ? 'PUT' : 'GET', '/bucket/nasty', {
        headers: { [name]: value },
      });
      expect(answer.status).toBeGreaterThanOrEqual(200);
      expect(answer.status).toBeLessThan(500);
    });

    it('as is a nasty Authorization header, query or policy', async () => {
      for (const authorization of [
        `AWS4-HMAC-SHA256 ${'Credential=a/,'.repeat(800)}`,
        `AWS4-HMAC-SHA256 Credential=${'/'.repeat(10_000)}`,
        ' '.repeat(10_000),
        'AWS4-HMAC-SHA256 =,=,=',
      ]) {
        const answer = await s3.ask('GET', '/bucket', { as: 'anonymous', headers: { authorization } });
        expect([400, 403]).toContain(answer.status);
      }
      for (const query of [
        'X-Amz-Credential='.repeat(500),
        `${'&'.repeat(12_000)}`,
        `${'a&'.repeat(101)}`,
        `prefix=${'%'.repeat(5000)}`,
      ]) {
        expect((await s3.ask('GET', `/bucket?${query}`, { as: 'anonymous' })).status).toBeLessThan(500);
      }
      const policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 's3:GetObject',
            Resource: `arn:aws:s3:::bucket/${'*a'.repeat(2000)}b`,
          },
        ],
      });
      expect((await s3.ask('PUT', '/bucket?policy', { body: policy })).status).toBeLessThan(300);
      expect((await s3.ask('GET', `/bucket/${'a'.repeat(1000)}`, { as: 'anonymous' })).status).toBe(403);
      await s3.ask('DELETE', '/bucket?policy');
    });
  });

  describe('by size', () => {
    it.each([
      ['a key', 'PUT', `/bucket/${'k'.repeat(1025)}`, {}, 'KeyTooLongError'],
      ['metadata', 'PUT', '/bucket/big', { 'x-amz-meta-a': 'm'.repeat(2049) }, 'MetadataTooLarge'],
      [
        'tags',
        'PUT',
        '/bucket/big',
        { 'x-amz-tagging': Array.from({ length: 11 }, (_, at) => `${at}=1`).join('&') },
        'InvalidTag',
      ],
      ['a part number', 'PUT', `/bucket/big?partNumber=10001&uploadId=${'0'.repeat(32)}`, {}, 'InvalidArgument'],
      [
        'parameters',
        'GET',
        `/bucket?${Array.from({ length: 101 }, (_, at) => `a${at}=1`).join('&')}`,
        {},
        'InvalidURI',
      ],
      ['a page', 'GET', '/bucket?max-keys=99999999999', {}, 'InvalidArgument'],
    ])('%s beyond the limit is refused', async (_, method, target, headers, code) => {
      expect((await s3.ask(method, target, { headers })).code).toBe(code);
    });

    it.each([
      [
        '?delete',
        'POST',
        '/bucket?delete',
        `<Delete>${'<Object><Key>a</Key></Object>'.repeat(1001)}</Delete>`,
        /MalformedXML|InvalidRequest/,
      ],
      [
        '?policy',
        'PUT',
        '/bucket?policy',
        `{"Version":"2012-10-17","Statement":[],"Id":"${'x'.repeat(21_000)}"}`,
        /Policy|MaxMessageLength|InvalidRequest/,
      ],
      ['?cors', 'PUT', '/bucket?cors', ' '.repeat(70_000), /MaxMessageLengthExceeded/],
      ['?tagging', 'PUT', '/bucket?tagging', ' '.repeat(300_000), /MaxMessageLengthExceeded/],
    ])('a document for %s beyond the limit is refused', async (_, method, target, body, code) => {
      expect((await s3.ask(method, target, { body })).code).toMatch(code);
    });
  });

  it('after all of which everything is as it was', async () => {
    expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
    expect((await s3.ask('GET', '/other/secret')).text).toBe('secret');
    expect(s3.events.filter((event) => event.status >= 500 && event.status !== 501)).toEqual([]);
  });
});
