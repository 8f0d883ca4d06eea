import { parseAclHeaders } from '../acl/headers.ts';
import { newObjectAcl } from '../acl/written.ts';
import { streamBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { sealedBody } from '../sse/seal.ts';
import { attributeChecks, parseAttributes } from '../wire/attributes.ts';
import { writeCondition } from '../wire/conditions.ts';
import { expirationHeaders } from '../wire/lifecycle-headers.ts';
import { checksumHeaders } from '../wire/object-headers.ts';
import { refuseUnsupportedWrite } from '../wire/refusals.ts';
import { newVersionHeader } from '../wire/versions.ts';

export const putObject = defineOperation({
  name: 'PutObject',
  route: { method: 'PUT', scope: 'object' },
  parse: ({ bucket, key, headers }) => {
    refuseUnsupportedWrite(headers);
    return {
      bucket,
      key,
      attributes: parseAttributes(headers),
      acl: parseAclHeaders(headers),
      condition: writeCondition(headers),
      headers,
    };
  },
  access: {
    by: 'checks',
    of: ({ bucket, key, attributes }) => [
      { action: 's3:PutObject', bucket, key },
      ...attributeChecks(attributes, bucket, key),
    ],
  },
  body: streamBody,
  handle: async ({ bucket, key, attributes, acl, condition, headers }, context, body) => {
    // After the policies, which may be about these headers, whatever their values are.
    const customerKey = parseCustomerKey(headers);
    const info = await context.store.putObject({
      bucket,
      key,
      ...attributes,
      acl: await newObjectAcl(acl, bucket, key, context),
      condition,
      ...(customerKey === undefined ? body : sealedBody(body, customerKey)),
    });
    return { info, customerKey, expiration: await expirationHeaders(context.store, info) };
  },
  write: ({ info, customerKey, expiration }) => ({
    status: 200,
    headers: [
      'ETag',
      `"${info.etag}"`,
      ...newVersionHeader(info.versionId),
      ...checksumHeaders(info.checksum),
      ...customerKeyHeaders(customerKey),
      ...expiration,
    ],
  }),
});
