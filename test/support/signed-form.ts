import { createHmac } from 'node:crypto';

export interface FormSigner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const today = () => new Date().toISOString().slice(0, 10).replaceAll('-', '');

/** What a form's `X-Amz-Credential` says. */
export function credentialOf({ accessKeyId, region }: FormSigner): string {
  return `${accessKeyId}/${today()}/${region}/s3/aws4_request`;
}

/**
 * The fields of a form with which a browser may upload to a bucket under any key (API reference, "POST Object"). Signed
 * without the product's own code, so that a mistake there is not made twice.
 * @param extra further conditions of the policy
 * @param expires milliseconds since 1970
 */
export function signedForm(
  signer: FormSigner,
  bucket: string,
  fields: Readonly<Record<string, string>>,
  extra: readonly unknown[] = [],
  expires = Date.now() + 60_000,
): Record<string, string> & { readonly policy: string } {
  const date = today();
  const all = {
    ...fields,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': credentialOf(signer),
    'X-Amz-Date': `${date}T000000Z`,
  };
  const conditions = [
    { bucket },
    ['starts-with', '$key', ''],
    ...Object.entries(all).flatMap(([name, value]) => (name === 'key' ? [] : [{ [name]: value }])),
    ...extra,
  ];
  const document = JSON.stringify({ expiration: new Date(expires).toISOString(), conditions });
  const policy = Buffer.from(document).toString('base64');
  let key: string | Buffer = `AWS4${signer.secretAccessKey}`;
  for (const part of [date, signer.region, 's3', 'aws4_request']) key = hmac(key, part);
  return { ...all, policy, 'X-Amz-Signature': hmac(key, policy).toString('hex') };
}
