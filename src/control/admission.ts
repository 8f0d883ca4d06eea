import type { Clock } from '../core/clock.ts';
import { SECOND } from '../core/durations.ts';
import type { Asked } from './asked.ts';
import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { type SignableRequest, SignatureJudge, WINDOW } from './signatures.ts';
import { ed25519Of, findToken, type Token } from './tokens.ts';

export interface AdmissionOptions {
  readonly tokens: () => readonly Token[];
  /** Requests a second of one caller; of one address that does not say who it is a tenth of it. */
  readonly rate: number;
  readonly clock: Clock;
  /** Whether this peer is a proxy of ours, whose X-Forwarded-For is believed. */
  readonly isProxy?: ((peer: string) => boolean) | undefined;
}

export interface Admission {
  /** Who asks. @throws Refusal `unauthorized`, `clock-skew`, `too-many-requests` */
  caller(asked: Asked, body?: Buffer): Token;
  /** For what needs no caller: only the rate of its address counts. @throws Refusal `too-many-requests` */
  stranger(asked: Asked): void;
  /** Where a request came from. */
  addressOf(asked: Asked): string;
}

/** Who may ask, and how often. Whoever is not known costs its address, so that guessing is slow. */
export function createAdmission({ tokens, rate, clock, isProxy }: AdmissionOptions): Admission {
  const known = new RateLimit(rate, clock);
  const strangers = new RateLimit(Math.max(1, rate / 10), clock);
  const judge = new SignatureJudge<Token>((keyId) => {
    const signer = tokens().find(({ id, publicKey }) => id === keyId && publicKey !== undefined);
    const key = signer?.publicKey === undefined ? undefined : ed25519Of(signer.publicKey);
    return signer === undefined || key === undefined ? undefined : { key, signer };
  }, clock);

  function addressOf(asked: Asked): string {
    const peer = asked.peer();
    if (isProxy?.(peer) !== true) return peer;
    // The last one: what stands before it was said by who asked.
    return asked.header('x-forwarded-for')?.split(',').at(-1)?.trim() ?? peer;
  }

  function pass(limit: RateLimit, caller: string): void {
    const seconds = limit.take(caller);
    if (seconds === 0) return;
    const advice = `wait ${seconds} s; use wait= instead of asking often`;
    throw new Refusal('too-many-requests', 'too many requests', advice, { 'retry-after': String(seconds) });
  }

  function stranger(asked: Asked): void {
    pass(strangers, addressOf(asked));
  }

  function refuse(asked: Asked, code: 'unauthorized' | 'clock-skew', message: string, advice: string): never {
    stranger(asked);
    throw new Refusal(code, message, advice, { 'www-authenticate': 'Bearer' });
  }

  return {
    addressOf,
    stranger,
    caller(asked, body) {
      const verdict = judge.judge(() => signable(asked, body), asked.header);
      switch (verdict.kind) {
        case 'good':
          pass(known, verdict.signer.id);
          return verdict.signer;
        case 'bad':
          return refuse(
            asked,
            'unauthorized',
            'the signature is wrong, or its key unknown',
            'sign as /v1/openapi.json says, with a key of the file of tokens',
          );
        case 'again':
          return refuse(asked, 'unauthorized', 'this signature was used before', 'sign each request anew');
        case 'skewed': {
          const [here, there] = [clock.now(), verdict.created].map((time) => new Date(time).toISOString());
          return refuse(
            asked,
            'clock-skew',
            `it was signed at ${there}, and here it is ${here}`,
            `set the clock (NTP): at most ${WINDOW / SECOND} s apart`,
          );
        }
        case 'none': {
          const token = findToken(tokens(), asked.header('authorization'));
          if (token === undefined) {
            return refuse(
              asked,
              'unauthorized',
              'no token, or an unknown one',
              'send Authorization: Bearer TOKEN, or sign the request',
            );
          }
          pass(known, token.id);
          return token;
        }
      }
    },
  };
}

function signable({ method, target, authority }: Asked, body: Buffer | undefined): SignableRequest {
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, '?'] : [target.slice(0, at), target.slice(at)];
  return { method, authority, path, query, body };
}
