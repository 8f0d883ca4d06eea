import { createHash, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { MINUTE } from '../core/durations.ts';

/**
 * Requests signed with Ed25519: HTTP Message Signatures (RFC 9421), one fixed set of components and parameters, so that there is
 * nothing to negotiate and nothing that a signer could leave out. A body is covered by its Content-Digest (RFC 9530).
 */
export interface SignableRequest {
  readonly method: string;
  /** Host, and port where it is not the scheme's own; lower case. */
  readonly authority: string;
  /** As on the wire, before the `?`. */
  readonly path: string;
  /** As on the wire, with the `?`; `?` alone where there is none. */
  readonly query: string;
  readonly body: Buffer | undefined;
}

/** How far the clocks may be apart, and how long a signature is remembered against being sent again. */
export const WINDOW = 5 * MINUTE;
const MOST_REMEMBERED = 200_000;

const bare = ['@method', '@authority', '@path', '@query'] as const;
const PARAMETERS =
  /^sig=(\((?:"[@a-z-]+" ?)+\);created=(\d{1,12});keyid="([a-z0-9._-]{1,63})";alg="ed25519";nonce="[A-Za-z0-9_-]{16,64}")$/;

/** The headers to add to a request. @param now milliseconds since 1970 UTC */
export function signatureHeaders(
  request: SignableRequest,
  keyId: string,
  key: KeyObject,
  now: number,
): Readonly<Record<string, string>> {
  const nonce = randomBytes(16).toString('base64url');
  const parameters = `(${namesOf(request)});created=${Math.floor(now / 1000)};keyid="${keyId}";alg="ed25519";nonce="${nonce}"`;
  const signature = sign(null, baseOf(request, parameters), key).toString('base64');
  return {
    ...(request.body === undefined ? {} : { 'content-digest': contentDigest(request.body) }),
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${signature}:`,
  };
}

export type Verdict<T> =
  | { readonly kind: 'good'; readonly signer: T }
  /** No signature was sent. */
  | { readonly kind: 'none' }
  | { readonly kind: 'bad' }
  /** It was seen before. */
  | { readonly kind: 'again' }
  /** Good, but made too long ago, or in the future. */
  | { readonly kind: 'skewed'; readonly created: number };

/** Judges signatures, and remembers those it has seen for as long as they could be sent again. */
export class SignatureJudge<T> {
  readonly #find: (keyId: string) => { readonly key: KeyObject; readonly signer: T } | undefined;
  readonly #clock: Clock;
  readonly #seen = new Map<string, number>();

  constructor(find: (keyId: string) => { readonly key: KeyObject; readonly signer: T } | undefined, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  /** @param describe asked only where there is a signature */
  judge(describe: () => SignableRequest, header: (name: string) => string | undefined): Verdict<T> {
    const [input, signed] = [header('signature-input'), header('signature')];
    if (input === undefined && signed === undefined) return { kind: 'none' };
    const request = describe();
    const [, parameters = '', created = '', keyId = ''] = PARAMETERS.exec(input ?? '') ?? [];
    const [, base64 = ''] = /^sig=:([A-Za-z0-9+/]{86}==):$/.exec(signed ?? '') ?? [];
    if (!parameters.startsWith(`(${namesOf(request)})`)) return { kind: 'bad' };
    const known = this.#find(keyId);
    if (known === undefined) return { kind: 'bad' };
    if (!verify(null, baseOf(request, parameters), known.key, Buffer.from(base64, 'base64'))) return { kind: 'bad' };
    const [now, at] = [this.#clock.now(), Number(created) * 1000];
    if (Math.abs(now - at) > WINDOW) return { kind: 'skewed', created: at };
    if (this.#isRepeated(base64, now, at + WINDOW)) return { kind: 'again' };
    return { kind: 'good', signer: known.signer };
  }

  #isRepeated(signature: string, now: number, until: number): boolean {
    if (this.#seen.size >= MOST_REMEMBERED) {
      for (const [each, end] of this.#seen) if (end < now) this.#seen.delete(each);
      // Rather refuse everything than believe what may have been seen.
      if (this.#seen.size >= MOST_REMEMBERED) return true;
    }
    if (this.#seen.has(signature)) return true;
    this.#seen.set(signature, until);
    return false;
  }
}

const namesOf = ({ body }: SignableRequest): string =>
  [...bare, ...(body === undefined ? [] : ['content-digest'])].map((name) => `"${name}"`).join(' ');

/** RFC 9421, 2.5: what is signed; the body's digest is the one that we find. */
function baseOf({ method, authority, path, query, body }: SignableRequest, parameters: string): Buffer {
  const lines = [
    `"@method": ${method}`,
    `"@authority": ${authority}`,
    `"@path": ${path}`,
    `"@query": ${query}`,
    ...(body === undefined ? [] : [`"content-digest": ${contentDigest(body)}`]),
    `"@signature-params": ${parameters}`,
  ];
  return Buffer.from(lines.join('\n'));
}

/** RFC 9530. */
const contentDigest = (body: Buffer): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
