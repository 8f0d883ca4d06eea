import { noBody } from '../body.ts';
import { invalidArgument } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { isoDate } from '../wire/dates.ts';
import { decodeToken, encodeToken, ownerXml } from '../wire/listing.ts';
import { element, optional, xmlDocument } from '../wire/xml-out.ts';

const MAX_BUCKETS = 10_000;

/** All buckets of the caller's account. */
export const listBuckets = defineOperation({
  name: 'ListBuckets',
  route: { method: 'GET', scope: 'service', allows: ['max-buckets', 'continuation-token', 'prefix', 'bucket-region'] },
  parse: ({ query }) => {
    const limit = query.get('max-buckets');
    if (limit !== undefined && (!/^\d{1,5}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_BUCKETS)) {
      throw invalidArgument('max-buckets', limit, `max-buckets must be between 1 and ${MAX_BUCKETS}`);
    }
    const token = query.get('continuation-token');
    return {
      limit: limit === undefined ? MAX_BUCKETS : Number(limit),
      after: token === undefined ? undefined : decodeToken('continuation-token', token),
      prefix: query.get('prefix'),
      region: query.get('bucket-region'),
    };
  },
  access: { by: 'checks', of: () => [{ action: 's3:ListAllMyBuckets' }] },
  body: noBody,
  handle: async ({ limit, after, prefix, region }, { store, caller }) => {
    const owner = caller.kind === 'principal' ? caller.principal : '';
    const page = [];
    let truncated = false;
    for (const bucket of await store.buckets()) {
      if (after !== undefined && bucket.name <= after) continue;
      if (prefix !== undefined && !bucket.name.startsWith(prefix)) continue;
      if (region !== undefined && bucket.region !== region) continue;
      if (bucket.owner !== owner) continue;
      if (page.length === limit) {
        truncated = true;
        break;
      }
      page.push(bucket);
    }
    return { owner, page, truncated };
  },
  write: ({ owner, page, truncated }, { prefix }) => {
    let buckets = '';
    for (const { name, created, region } of page) {
      buckets += `<Bucket>${element('Name', name)}${element('CreationDate', isoDate(created))}${element('BucketRegion', region)}</Bucket>`;
    }
    const next = truncated ? page.at(-1)?.name : undefined;
    return xmlReply(
      xmlDocument(
        'ListAllMyBucketsResult',
        `${ownerXml('Owner', owner)}<Buckets>${buckets}</Buckets>` +
          optional('ContinuationToken', next === undefined ? undefined : encodeToken(next)) +
          optional('Prefix', prefix),
      ),
    );
  },
});
