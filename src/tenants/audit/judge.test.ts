import { describe, expect, test } from 'vitest';
import { Secret } from '../../core/secret.ts';
import { providerNamed } from '../../providers/index.ts';
import { attacks } from './attacks/index.ts';
import { judge } from './judge.ts';
import type { Attack, AttackContext, Bait } from './model.ts';

const bait = (tenant: string): Bait => ({
  bucket: 'shared',
  prefix: `${tenant}/`,
  tenant,
  folder: `${tenant}/bucketwright-audit/1/${tenant}/`,
  key: `${tenant}/bucketwright-audit/1/${tenant}/bait`,
  marker: `bait of ${tenant} 0123`,
  uploadId: `upload-of-${tenant}`,
  uploadKey: `${tenant}/bucketwright-audit/1/${tenant}/unfinished`,
  partEtag: '00',
});

const provider = providerNamed('ceph');
if (provider === undefined) throw new Error('ceph');
const context: AttackContext = {
  own: bait('acme'),
  victim: bait('beta'),
  connection: {
    endpoint: { url: 'http://127.0.0.1:1', scheme: 'http', host: '127.0.0.1', port: 1, authority: '127.0.0.1:1' },
    credentials: { accessKeyId: new Secret('x'), secretAccessKey: new Secret('x') },
    region: 'fsn1',
    forcePathStyle: true,
    checksums: 'when-required',
    provider,
  },
  state: new Map(),
  ownState: new Map(),
};

function verdictOf(expect: Attack['expect'], status: number, body = '', operation = 'GetObject') {
  const attack: Attack = { operation, trick: 'x', expect, request: () => ({ method: 'GET', bucket: 'b', query: '' }) };
  return judge(attack, context, { status, headers: {}, body }).verdict;
}

const error = (code: string) => `<Error><Code>${code}</Code><Key>${context.victim.key}</Key></Error>`;

describe('what an answer to an attack means', () => {
  test.each([
    ['denied', 403, error('AccessDenied'), 'denied'],
    ['denied', 403, '', 'denied'],
    ['denied', 404, error('NoSuchBucket'), 'denied'],
    // Who asked was not known: no right was looked at.
    ['denied', 403, error('SignatureDoesNotMatch'), 'unclear'],
    ['nothing', 403, error('InvalidAccessKeyId'), 'unclear'],
    // Let through, and only then refused for something else.
    ['denied', 404, error('NoSuchKey'), 'leak'],
    ['denied', 409, error('BucketNotEmpty'), 'leak'],
    ['denied', 412, error('PreconditionFailed'), 'leak'],
    ['denied', 304, '', 'leak'],
    ['denied', 204, '', 'leak'],
    ['denied', 400, error('MalformedXML'), 'unclear'],
    ['denied', 500, '', 'unclear'],
    ['denied', 501, error('NotImplemented'), 'unsupported'],
    // A copy may fail inside a 200.
    ['denied', 200, error('AccessDenied'), 'denied'],
    ['denied', 200, error('InternalError'), 'leak'],
    ['nothing', 404, error('NoSuchUpload'), 'nothing'],
    ['nothing', 200, '<ListBucketResult><Prefix>acme/</Prefix></ListBucketResult>', 'nothing'],
    ['nothing', 200, context.victim.marker, 'leak'],
    ['denied', 403, context.victim.marker, 'leak'],
    // The bucket's host name was taken for the server's own: the attacker sees its buckets.
    [
      'denied',
      200,
      '<ListAllMyBucketsResult><Buckets><Bucket><Name>own</Name></Bucket></Buckets></ListAllMyBucketsResult>',
      'nothing',
    ],
    [
      'denied',
      200,
      '<ListAllMyBucketsResult><Buckets><Bucket><Name>shared</Name></Bucket></Buckets></ListAllMyBucketsResult>',
      'visible',
    ],
  ] as const)('%s: %i %s is %s', (expected, status, body, verdict) => {
    expect(verdictOf(expected, status, body)).toBe(verdict);
  });

  test('a refused signature is a refusal where that was attacked, and of nothing else', () => {
    const answer = { status: 403, headers: {}, body: error('SignatureDoesNotMatch') };
    const verdictOn = (attack: Attack) => judge(attack, context, answer).verdict;
    const disguised = attacks.filter((attack) => attack.disguised === true);
    for (const attack of disguised) expect(verdictOn(attack), attack.trick).toBe('denied');
    const others = attacks.filter((attack) => attack.disguised !== true);
    expect(others.length).toBeGreaterThan(200);
    for (const attack of others) {
      expect(verdictOn(attack), attack.trick).toBe('unclear');
      const { forgedKey, forgedQuery } = attack.request(context);
      expect([forgedKey, forgedQuery], attack.trick).toEqual([undefined, undefined]);
    }
    expect(disguised.length).toBeLessThan(20);
  });

  test('a listing with the victim\u2019s key is a leak, one that repeats the question is not', () => {
    const listing = (inside: string) => `<ListBucketResult>${inside}</ListBucketResult>`;
    const { victim } = context;
    const shown = listing(`<Contents><Key>${victim.key}</Key></Contents>`);
    expect(verdictOf('nothing', 200, shown)).toBe('leak');
    expect(verdictOf('nothing', 200, listing(`<StartAfter>${victim.folder}</StartAfter>`))).toBe('nothing');
    expect(
      verdictOf('nothing', 200, listing(`<Contents><Key>${encodeURIComponent(victim.key)}</Key></Contents>`)),
    ).toBe('leak');
  });

  test('a deletion of many counts by what it says of each key', () => {
    const result = (inside: string) => `<DeleteResult>${inside}</DeleteResult>`;
    const refused = '<Error><Key>k</Key><Code>AccessDenied</Code></Error>';
    expect(verdictOf('denied', 200, result(refused))).toBe('denied');
    expect(verdictOf('denied', 200, result(`${refused}<Deleted><Key>k</Key></Deleted>`))).toBe('leak');
    expect(verdictOf('denied', 200, result('<Deleted><Key>k</Key></Deleted>'))).toBe('leak');
    expect(verdictOf('denied', 200, result(''))).toBe('leak');
  });

  test('a bucket\u2019s name alone is visible, not stolen', () => {
    const list = (name: string) =>
      `<ListAllMyBucketsResult><Buckets><Bucket><Name>${name}</Name></Bucket></Buckets></ListAllMyBucketsResult>`;
    expect(verdictOf('denied', 200, list('shared'), 'ListBuckets')).toBe('visible');
    expect(verdictOf('denied', 200, list('own'), 'ListBuckets')).toBe('nothing');
  });
});
