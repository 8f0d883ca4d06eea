import { noBody, xmlBody } from '../body.ts';
import { publicAccessBlock, setPublicAccessBlock } from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { fields, malformed, textOf, type XmlElement } from '../wire/xml-in.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

const QUERY = { publicAccessBlock: true } as const;

export const getPublicAccessBlock = defineOperation({
  name: 'GetPublicAccessBlock',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketPublicAccessBlock', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const block = await publicAccessBlock(store, bucket);
    if (block !== undefined) return block;
    throw new S3Error('NoSuchPublicAccessBlockConfiguration', undefined, { elements: { BucketName: bucket } });
  },
  write: (block) =>
    xmlReply(
      xmlDocument(
        'PublicAccessBlockConfiguration',
        element('BlockPublicAcls', block.blockPublicAcls) +
          element('IgnorePublicAcls', block.ignorePublicAcls) +
          element('BlockPublicPolicy', block.blockPublicPolicy) +
          element('RestrictPublicBuckets', block.restrictPublicBuckets),
      ),
    ),
});

export const putPublicAccessBlock = defineOperation({
  name: 'PutPublicAccessBlock',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketPublicAccessBlock', bucket }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: true, checksums: 'body' }, parseBlock),
  handle: ({ bucket }, { store }, block) => setPublicAccessBlock(store, bucket, block),
  write: () => ({ status: 200 }),
});

export const deletePublicAccessBlock = defineOperation({
  name: 'DeletePublicAccessBlock',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketPublicAccessBlock', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.setBucketConfiguration(bucket, 'public-access-block', undefined),
  write: () => ({ status: 204 }),
});

/** What is not said is off. */
function parseBlock(root: XmlElement | undefined) {
  if (root?.name !== 'PublicAccessBlockConfiguration') throw malformed();
  const names = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
  const found = fields(root, names);
  return {
    blockPublicAcls: flag(found.BlockPublicAcls),
    ignorePublicAcls: flag(found.IgnorePublicAcls),
    blockPublicPolicy: flag(found.BlockPublicPolicy),
    restrictPublicBuckets: flag(found.RestrictPublicBuckets),
  };
}

function flag(found: XmlElement | undefined): boolean {
  if (found === undefined) return false;
  const word = textOf(found).trim().toLowerCase();
  if (word !== 'true' && word !== 'false') throw malformed();
  return word === 'true';
}
