import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Secret } from '../../core/secret.ts';
import { invalidArgument, S3Error } from '../errors.ts';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
const HEADERS = 'x-amz-server-side-encryption-customer-';

/** A key that a client sent with its request. It is never stored and never printed. */
export class CustomerKey {
  readonly #key: Secret;
  /** Base64, as the client sent it and S3 sends it back. */
  readonly md5: string;

  constructor(key: Buffer, md5: string) {
    this.#key = new Secret(key.toString('latin1'));
    this.md5 = md5;
  }

  /** What proves this key later without telling it: salted, as AWS does it (User Guide, "SSE-C"). */
  check(): string {
    const salt = randomBytes(SALT_BYTES);
    return Buffer.concat([salt, this.#mac(salt)]).toString('base64');
  }

  proves(check: string): boolean {
    const bytes = Buffer.from(check, 'base64');
    const expected = this.#mac(bytes.subarray(0, SALT_BYTES));
    const given = bytes.subarray(SALT_BYTES);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }

  /** A key of its own for each body, so that counters may start anew (RFC 5869). */
  bodyKey(salt: Buffer): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#bytes(), salt, 'bucketwright sse-c body 1', KEY_BYTES));
  }

  /**
   * The entity tag of content with this MD5: the same for the same content and key, so that a part can be sent again, and
   * telling nothing of the content to who has no key.
   */
  entityTag(md5: Buffer): string {
    const mac = createHmac('sha256', this.#bytes()).update('bucketwright sse-c etag 1').update(md5);
    return mac.digest('hex').slice(0, 32);
  }

  #mac(salt: Buffer): Buffer {
    return createHmac('sha256', this.#bytes()).update('bucketwright sse-c check 1').update(salt).digest();
  }

  #bytes(): Buffer {
    return Buffer.from(this.#key.reveal(), 'latin1');
  }
}

/**
 * The key of a request, or of a copy's source; undefined when it sends none.
 * @throws S3Error `InvalidArgument`, `InvalidEncryptionAlgorithmError`
 */
export function parseCustomerKey(headers: IncomingHttpHeaders, of: 'object' | 'source' = 'object') {
  const prefix = of === 'source' ? `x-amz-copy-source-${HEADERS.slice('x-amz-'.length)}` : HEADERS;
  const algorithm = headers[`${prefix}algorithm`];
  const key = headers[`${prefix}key`];
  const md5 = headers[`${prefix}key-md5`];
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (algorithm === undefined) throw incomplete(`${prefix}algorithm`, 'a valid encryption algorithm');
  if (algorithm !== 'AES256') {
    throw new S3Error('InvalidEncryptionAlgorithmError', undefined, {
      elements: { ArgumentName: `${prefix}algorithm`, ArgumentValue: String(algorithm).slice(0, 64) },
    });
  }
  if (key === undefined) throw incomplete(`${prefix}key`, 'an appropriate secret key');
  if (md5 === undefined) throw incomplete(`${prefix}key-MD5`, 'the client calculated MD5 of the secret key');
  const bytes = Buffer.from(String(key), 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== String(key)) {
    // The value is a key, so the error must not repeat it.
    throw invalidArgument(`${prefix}key`, '', 'The secret key was invalid for the specified algorithm.');
  }
  const given = String(md5);
  if (createHash('md5').update(bytes).digest('base64') !== given) {
    throw invalidArgument(
      `${prefix}key-MD5`,
      given,
      'The calculated MD5 hash of the key did not match the hash that was provided.',
    );
  }
  return new CustomerKey(bytes, given);
}

function incomplete(name: string, what: string): S3Error {
  return invalidArgument(
    name,
    '',
    `Requests specifying Server Side Encryption with Customer provided keys must provide ${what}.`,
  );
}

/** What an answer says of the key that was used, flat. */
export function customerKeyHeaders(key: CustomerKey | undefined): readonly string[] {
  return key === undefined ? [] : [`${HEADERS}algorithm`, 'AES256', `${HEADERS}key-MD5`, key.md5];
}
