import { createHmac } from 'node:crypto';
import type { RawRequest } from '../../client/index.ts';
import type { Connection } from '../../providers/index.ts';

/** Minutes that a form of the audit can be sent in. */
const VALID_MS = 10 * 60_000;

/**
 * A browser's upload form, signed by the connection's keys (Amazon S3 API Reference, "Browser-based uploads using POST").
 * @param key as the field holds it; `policyKey` as the signed policy allows it, where that is something else
 */
export function postForm(
  { credentials, region }: Connection,
  { bucket, key, policyKey = key, content, fileName, more = [], allowed = [] }: FormWords,
): RawRequest {
  const now = Date.now();
  const date = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const credential = `${credentials.accessKeyId.reveal()}/${scope}`;
  const policy = Buffer.from(
    JSON.stringify({
      expiration: new Date(now + VALID_MS).toISOString(),
      conditions: [
        { bucket },
        ['starts-with', '$key', policyKey],
        { 'x-amz-algorithm': 'AWS4-HMAC-SHA256' },
        { 'x-amz-credential': credential },
        { 'x-amz-date': date },
        ...allowed,
      ],
    }),
  ).toString('base64');
  const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest();
  const signingKey = [date.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey.reveal()}`,
  );
  const fields: readonly (readonly [string, string])[] = [
    ['key', key],
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', credential],
    ['x-amz-date', date],
    ['policy', policy],
    ['x-amz-signature', hmac(signingKey, policy).toString('hex')],
    ...more,
  ];
  return { ...unsignedForm(bucket, fields, content, fileName), anonymous: true };
}

export interface FormWords {
  readonly bucket: string;
  readonly key: string;
  readonly policyKey?: string;
  readonly content: string;
  /** What the browser says that the file is called: what `${filename}` becomes. */
  readonly fileName?: string;
  /** Fields behind all others. */
  readonly more?: readonly (readonly [string, string])[];
  /** What the signed policy allows besides. */
  readonly allowed?: readonly (Readonly<Record<string, string>> | readonly [string, string, string])[];
}

export function unsignedForm(
  bucket: string,
  fields: readonly (readonly [string, string])[],
  content: string,
  fileName = 'x',
): RawRequest {
  const boundary = 'bucketwright-audit-boundary';
  const part = (head: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const body = [
    ...fields.map(([name, value]) => part(`name="${name}"`, value)),
    part(`name="file"; filename="${fileName}"\r\nContent-Type: text/plain`, content),
    `--${boundary}--\r\n`,
  ].join('');
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  return { method: 'POST', bucket, query: '', headers, body };
}
