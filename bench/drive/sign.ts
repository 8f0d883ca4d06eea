/**
 * SigV4 in the header for the bench's three fixed headers. Written apart from the product's own signer so that a change
 * there cannot make both sides of the measurement agree on something wrong.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import { createHash, createHmac } from 'node:crypto';
import { credentials, region } from '../servers/server.ts';

/** Not the port: the same signed request goes to every server, and a signature covers the Host header as it is sent. */
export const host = '127.0.0.1';

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export const unsignedPayload = 'UNSIGNED-PAYLOAD';
export const payloadDigest = (body: Uint8Array): string => sha256(body);

export interface Signer {
  /** The header lines that every request of this signer carries, without Authorization. */
  readonly common: readonly string[];
  /** The Authorization value. `target` is path and query as sent, encoded, the query's words in order. */
  authorize(method: string, target: string): string;
}

/** A signer with its date frozen; servers accept it for 15 minutes. `payload` is a hex SHA-256 or UNSIGNED-PAYLOAD. */
export function signer(now: Date, payload: string): Signer {
  const stamp = `${now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`;
  const date = stamp.slice(0, 8);
  const scope = `${date}/${region}/s3/aws4_request`;
  const key = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (previous, word) => hmac(previous, word),
    `AWS4${credentials.secretAccessKey}`,
  );
  const names = 'host;x-amz-content-sha256;x-amz-date';
  const tail = `host:${host}\nx-amz-content-sha256:${payload}\nx-amz-date:${stamp}\n\n${names}\n${payload}`;
  return {
    common: [`Host: ${host}`, `x-amz-content-sha256: ${payload}`, `x-amz-date: ${stamp}`],
    authorize(method, target) {
      const [path = '/', query = ''] = target.split('?', 2);
      const words =
        query === ''
          ? ''
          : query
              .split('&')
              .map((word) => (word.includes('=') ? word : `${word}=`))
              .join('&');
      const text = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(`${method}\n${path}\n${words}\n${tail}`)}`;
      const signature = createHmac('sha256', key).update(text).digest('hex');
      return `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    },
  };
}
