import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  await s3.ask('PUT', '/bucket');
});
afterAll(() => s3[Symbol.asyncDispose]());

describe('bucket tagging', () => {
  const put = (set: string) => s3.ask('PUT', '/bucket?tagging', { body: `<Tagging><TagSet>${set}</TagSet></Tagging>` });
  const tag = (key: string, value = 'v') => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  const tags = (count: number) => Array.from({ length: count }, (_, at) => tag(`t${at}`)).join('');

  it('comes back as it was put, takes the place of what was there, and goes', async () => {
    for (const set of [tag('team', 'ä b+c') + tag('cost', ''), tags(50)]) {
      expect((await put(set)).status).toBe(204);
      expect((await s3.ask('GET', '/bucket?tagging')).text).toContain(`<TagSet>${set}</TagSet>`);
    }
    for (let twice = 0; twice < 2; twice += 1) expect((await s3.ask('DELETE', '/bucket?tagging')).status).toBe(204);
    expect(await s3.ask('GET', '/bucket?tagging')).toMatchObject({ status: 404, code: 'NoSuchTagSet' });
  });

  it.each([
    ['51 tags', tags(51), 'InvalidTag'],
    ['a key twice', tag('a') + tag('a'), 'InvalidTag'],
    ['a long key', tag('k'.repeat(129)), 'InvalidTag'],
    ['a long value', tag('k', 'v'.repeat(257)), 'InvalidTag'],
    ['a reserved key', tag('aws:x'), 'InvalidTag'],
    ['something else', '<Fly/>', 'MalformedXML'],
  ])('refuses %s and keeps what is there', async (_, set, code) => {
    await put(tag('kept'));
    expect(await put(set)).toMatchObject({ status: 400, code });
    expect((await s3.ask('GET', '/bucket?tagging')).text).toContain('<Key>kept</Key>');
  });
});

describe('default encryption', () => {
  const rule = (algorithm: string) =>
    `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`;

  it.each(['AES256', 'aws:kms'])('by %s is refused with the reason, so that nobody relies on it', async (algorithm) => {
    const answer = await s3.ask('PUT', '/bucket?encryption', { body: rule(algorithm) });
    expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(answer.text).toContain('SSE-C');
    expect((await s3.ask('GET', '/bucket?encryption')).code).toBe('ServerSideEncryptionConfigurationNotFoundError');
    expect((await s3.ask('DELETE', '/bucket?encryption')).status).toBe(204);
    const { headers } = await s3.ask('PUT', '/bucket/key', { body: 'x' });
    expect(headers['x-amz-server-side-encryption']).toBeUndefined();
  });

  it('for a bucket that is not there is told so', async () => {
    expect((await s3.ask('PUT', '/absent?encryption', { body: rule('AES256') })).code).toBe('NoSuchBucket');
    expect((await s3.ask('GET', '/absent?encryption')).code).toBe('NoSuchBucket');
  });
});
