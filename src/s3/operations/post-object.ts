import { parseAclHeaders } from '../acl/headers.ts';
import { newObjectAcl } from '../acl/written.ts';
import { planDigests } from '../digests.ts';
import { S3Error } from '../errors.ts';
import { formBody } from '../form/body.ts';
import { atMost, filledFields, headersOf, keyOf, redirectOf, statusOf } from '../form/fields.ts';
import { checkFormPolicy, parseFormPolicy } from '../form/policy.ts';
import { defineOperation } from '../operation.ts';
import type { Payload } from '../payload.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { sealedBody } from '../sse/seal.ts';
import { attributeChecks, parseAttributes } from '../wire/attributes.ts';
import { checksumHeaders } from '../wire/object-headers.ts';
import { refuseUnsupportedWrite } from '../wire/refusals.ts';
import { newVersionHeader } from '../wire/versions.ts';
import { bareXmlDocument, element, urlEncode } from '../wire/xml-out.ts';

/** Of a form only its policy is signed. */
const UNSIGNED: Payload = { sha256: undefined, chunked: undefined };

/**
 * A browser's form upload (API reference, "POST Object"): the form's policy stands in for the request, and its signature
 * proves that a key's holder allowed it.
 */
export const postObject = defineOperation({
  name: 'PostObject',
  route: { method: 'POST', scope: 'bucket' },
  parse: ({ bucket, headers }) => ({ bucket, host: headers.host ?? '' }),
  access: {
    by: 'anyone',
    why: 'the signature is in the form; the handler holds it to the rules of a PUT before the file',
  },
  body: formBody,
  handle: async ({ bucket }, context, form) => {
    const fields = new Map([...filledFields(form), ['bucket', bucket] as const]);
    const key = keyOf(fields);
    const headers = headersOf(fields);
    const signer = context.signerOf({ fields, key, headers });
    const policyText = fields.get('policy');
    const policy = policyText === undefined ? undefined : parseFormPolicy(policyText);
    if (policy !== undefined) checkFormPolicy(policy, fields, context.now());
    refuseUnsupportedWrite(headers);
    const attributes = parseAttributes(headers);
    const grants = parseAclHeaders(headers);
    const customerKey = parseCustomerKey(headers);
    await signer.require({ action: 's3:PutObject', bucket, key });
    for (const check of attributeChecks(attributes, bucket, key)) {
      // An ACL that lets anybody write has no word for tags; those of the new object come with it.
      if (check.action === 's3:PutObjectTagging' && signer.caller.kind === 'anonymous') continue;
      await signer.require(check);
    }
    const max = Math.min(form.maxBytes, policy?.size?.max ?? form.maxBytes);
    const plan = planDigests(headers, UNSIGNED, max);
    const body = {
      body: { chunks: atMost(form.file.chunks, max), length: undefined },
      digests: plan.digests,
      accept(...[digests, size]: Parameters<typeof plan.accept>) {
        const min = policy?.size?.min ?? 0;
        if (size < min) {
          const elements = { ProposedSize: size.toString(), MinSizeAllowed: min.toString() };
          throw new S3Error('EntityTooSmall', undefined, { elements });
        }
        return plan.accept(digests, size);
      },
    };
    const sealed = customerKey === undefined ? body : sealedBody(body, customerKey);
    const acl = await newObjectAcl(grants, bucket, key, signer);
    const info = await context.store.putObject({ bucket, key, ...attributes, acl, ...sealed });
    return { info, fields, customerKey };
  },
  write: ({ info, fields, customerKey }, { host }) => {
    const location = `http://${host}/${info.bucket}/${urlEncode(info.key)}`;
    const redirect = redirectOf(fields, info);
    const headers = [
      'ETag',
      `"${info.etag}"`,
      'Location',
      redirect ?? location,
      ...newVersionHeader(info.versionId),
      ...checksumHeaders(info.checksum),
      ...customerKeyHeaders(customerKey),
    ];
    if (redirect !== undefined) return { status: 303, headers };
    const status = statusOf(fields);
    if (status !== 201) return { status, headers };
    const content = element('Location', location) + element('Bucket', info.bucket) + element('Key', info.key);
    const document = bareXmlDocument('PostResponse', `${content}${element('ETag', `"${info.etag}"`)}`);
    return { status, headers: [...headers, 'Content-Type', 'application/xml'], body: document };
  },
});
