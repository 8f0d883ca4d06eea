import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../src/s3/operations/index.ts';
import { knownSubresources } from '../../src/s3/subresources.ts';
import { startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  await s3.ask('PUT', '/bucket');
  await s3.ask('PUT', '/empty');
  await s3.ask('PUT', '/bucket/key', { body: 'kept' });
});
afterAll(() => s3[Symbol.asyncDispose]());

const words = [...knownSubresources, 'brandNewThing', 'x'];
const places = ['DELETE bucket', 'DELETE object', 'PUT bucket', 'PUT object', 'POST bucket', 'POST object'];
/** Words that belong to an operation with this method; without their other parameters they must still harm nothing. */
const served = (place: string): readonly string[] =>
  operations
    .filter(({ route }) => `${route.method} ${route.scope}` === place)
    .flatMap(({ route }) => [...Object.keys(route.query ?? {}), ...(route.allows ?? [])]);

describe('a subresource that an operation does not know never reaches it', () => {
  for (const place of places) {
    const [method = '', scope] = place.split(' ');
    it.each(words.filter((word) => !served(place).includes(word)))(`${place} ?%s is 501`, async (word) => {
      const targets = scope === 'bucket' ? [`/empty?${word}`, `/empty?${word}&id=1`] : [`/bucket/key?${word}`];
      for (const target of targets) {
        const answer = await s3.ask(method, target, method === 'DELETE' ? {} : { body: '<A/>' });
        expect(answer, target).toMatchObject({ status: 501, code: 'NotImplemented' });
      }
    });
  }

  it('nothing was deleted or overwritten', async () => {
    expect((await s3.ask('HEAD', '/empty')).status).toBe(200);
    expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
  });

  it('an unknown GET never answers a listing or the object', async () => {
    for (const word of ['inventory', 'analytics', 'metrics', 'intelligent-tiering', 'session', 'abac', 'foo']) {
      expect((await s3.ask('GET', `/bucket?${word}`)).code, word).toBe('NotImplemented');
    }
    for (const word of ['torrent', 'restore', 'foo']) {
      expect((await s3.ask('GET', `/bucket/key?${word}`)).code, word).toBe('NotImplemented');
    }
  });

  it('a parameter with a value that nobody knows is no subresource of a read', async () => {
    expect((await s3.ask('GET', '/bucket/key?v=3')).text).toBe('kept');
    expect((await s3.ask('GET', '/bucket/key?x-id=GetObject')).text).toBe('kept');
  });
});

describe('a bucket on which nothing was configured', () => {
  it.each([
    ['versioning', 200, '<VersioningConfiguration'],
    ['lifecycle', 404, 'NoSuchLifecycleConfiguration'],
    ['policy', 404, 'NoSuchBucketPolicy'],
    ['policyStatus', 404, 'NoSuchBucketPolicy'],
    ['cors', 404, 'NoSuchCORSConfiguration'],
    ['tagging', 404, 'NoSuchTagSet'],
    ['acl', 200, '<Permission>FULL_CONTROL</Permission>'],
    ['object-lock', 404, 'ObjectLockConfigurationNotFoundError'],
    ['encryption', 404, 'ServerSideEncryptionConfigurationNotFoundError'],
    ['publicAccessBlock', 404, 'NoSuchPublicAccessBlockConfiguration'],
    ['ownershipControls', 200, '<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>'],
    ['website', 404, 'NoSuchWebsiteConfiguration'],
    ['logging', 200, '<BucketLoggingStatus'],
    ['notification', 200, '<NotificationConfiguration'],
    ['replication', 404, 'ReplicationConfigurationNotFoundError'],
    ['requestPayment', 200, '<Payer>BucketOwner</Payer>'],
    ['accelerate', 200, '<AccelerateConfiguration'],
    ['location', 200, '<LocationConstraint'],
  ])('?%s', async (word, status, text) => {
    const answer = await s3.ask('GET', `/bucket?${word}`);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect((await s3.ask('GET', `/absent?${word}`)).code).toBe('NoSuchBucket');
  });
});
