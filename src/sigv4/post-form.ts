import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.ts';
import { parseCredential } from './authorization.ts';
import { parseAmzDate } from './dates.ts';
import { SigV4Error } from './errors.ts';
import { sameSignature, signingKey } from './keys.ts';
import { ALGORITHM } from './model.ts';

/** Who says to have signed a browser's form. What is signed is its policy, in base64 as it stands in the form. */
export type FormAuthorization =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'v4';
      readonly accessKeyId: string;
      readonly policy: string;
      readonly signature: string;
      readonly date: string;
      readonly region: string;
      readonly service: string;
      readonly timestampMs: number;
    }
  /** HMAC-SHA1: forms of this kind are still made, and S3 still takes them. */
  | { readonly kind: 'v2'; readonly accessKeyId: string; readonly policy: string; readonly signature: string };

/**
 * @param fields of the form, by lower-case name
 * @throws SigV4Error InvalidArgument, AccessDenied for a signature without its other fields
 */
export function parseFormAuthorization(fields: ReadonlyMap<string, string>): FormAuthorization {
  const policy = fields.get('policy');
  const v4 = fields.get('x-amz-signature');
  const v2 = fields.get('signature');
  const algorithm = fields.get('x-amz-algorithm');
  const v2Key = fields.get('awsaccesskeyid');
  if (policy === undefined && v4 === undefined && v2 === undefined && algorithm === undefined && v2Key === undefined) {
    return { kind: 'anonymous' };
  }
  if (policy === undefined) throw missing('policy');
  if (algorithm === undefined) {
    if (v2Key === undefined) throw missing('AWSAccessKeyId');
    if (v2 === undefined) throw missing('Signature');
    return { kind: 'v2', accessKeyId: v2Key, policy, signature: v2 };
  }
  if (algorithm !== ALGORITHM) {
    throw new SigV4Error(
      'InvalidArgument',
      'authorization-unsupported',
      `X-Amz-Algorithm only supports "${ALGORITHM}"`,
    );
  }
  if (v4 === undefined) throw missing('X-Amz-Signature');
  const scope = parseCredential(
    fields.get('x-amz-credential') ?? '',
    (why) => new SigV4Error('InvalidArgument', 'authorization-malformed', why),
  );
  const amzDate = fields.get('x-amz-date') ?? '';
  const timestampMs = parseAmzDate(amzDate);
  if (timestampMs === undefined || !amzDate.startsWith(scope.date)) throw missing('X-Amz-Date');
  return { kind: 'v4', policy, signature: v4.toLowerCase(), timestampMs, ...scope };
}

/**
 * Proves that the holder of `secret` signed the policy. When it ends is the policy's to say.
 * @param region the only one to accept; undefined: any
 * @throws SigV4Error SignatureDoesNotMatch, AuthorizationHeaderMalformed
 */
export function verifyForm(
  form: Exclude<FormAuthorization, { kind: 'anonymous' }>,
  secret: Secret,
  region: string | undefined,
): void {
  if (form.kind === 'v4') {
    if (form.service !== 's3' || (region !== undefined && form.region !== region)) {
      throw new SigV4Error(
        'AuthorizationHeaderMalformed',
        'scope-wrong',
        `The credential in the form is wrong; expecting the region '${region ?? form.region}' and the service 's3'`,
        region === undefined ? {} : { elements: { Region: region } },
      );
    }
    const key = signingKey(secret, form.date, form.region, form.service);
    if (sameSignature(key.hex(form.policy), form.signature)) return;
  } else {
    const expected = createHmac('sha1', secret.reveal()).update(form.policy).digest();
    const given = Buffer.from(form.signature, 'base64');
    if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  }
  throw new SigV4Error(
    'SignatureDoesNotMatch',
    'signature-wrong',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      subject: form.accessKeyId,
      elements: { AWSAccessKeyId: form.accessKeyId, StringToSign: form.policy.slice(0, 4096) },
    },
  );
}

function missing(name: string): SigV4Error {
  return new SigV4Error(
    'InvalidArgument',
    'authorization-malformed',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    { elements: { ArgumentName: name } },
  );
}
