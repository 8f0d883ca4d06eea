import type { Context } from 'hono';
import type { Clock } from '../core/clock.ts';
import { SECOND } from '../core/durations.ts';
import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { SignatureJudge, WINDOW } from './signatures.ts';
import { ed25519Of, findToken, type Token } from './tokens.ts';

export interface AdmissionOptions {
  readonly tokens: () => readonly Token[];
  /** Requests a second of one caller; of one address that does not say who it is a tenth of it. */
  readonly rate: number;
  readonly clock: Clock;
  /** Where a request came from. */
  readonly addressOf: (context: Context) => string;
}

export interface Admission {
  /** Who asks. @throws Refusal `unauthorized`, `clock-skew`, `too-many-requests` */
  caller(context: Context, body?: Buffer): Token;
  /** For what needs no caller: only the rate of its address counts. @throws Refusal `too-many-requests` */
  stranger(context: Context): void;
}

/** Who may ask, and how often. Whoever is not known costs its address, so that guessing is slow. */
export function createAdmission({ tokens, rate, clock, addressOf }: AdmissionOptions): Admission {
  const known = new RateLimit(rate, clock);
  const strangers = new RateLimit(Math.max(1, rate / 10), clock);
  const judge = new SignatureJudge<Token>((keyId) => {
    const signer = tokens().find(({ id, publicKey }) => id === keyId && publicKey !== undefined);
    const key = signer?.publicKey === undefined ? undefined : ed25519Of(signer.publicKey);
    return signer === undefined || key === undefined ? undefined : { key, signer };
  }, clock);

  function pass(context: Context, limit: RateLimit, caller: string): void {
    const seconds = limit.take(caller);
    if (seconds === 0) return;
    context.header('Retry-After', String(seconds));
    throw new Refusal('too-many-requests', 'too many requests', `wait ${seconds} s; use wait= instead of asking often`);
  }

  function stranger(context: Context): void {
    pass(context, strangers, addressOf(context));
  }

  function refuse(context: Context, code: 'unauthorized' | 'clock-skew', message: string, advice: string): never {
    stranger(context);
    context.header('WWW-Authenticate', 'Bearer');
    throw new Refusal(code, message, advice);
  }

  return {
    stranger,
    caller(context, body) {
      const verdict = judge.judge(signable(context, body), (name) => context.req.header(name));
      switch (verdict.kind) {
        case 'good':
          pass(context, known, verdict.signer.id);
          return verdict.signer;
        case 'bad':
          return refuse(
            context,
            'unauthorized',
            'the signature is wrong, or its key unknown',
            'sign as /v1/openapi.json says, with a key of the file of tokens',
          );
        case 'again':
          return refuse(context, 'unauthorized', 'this signature was used before', 'sign each request anew');
        case 'skewed': {
          const [here, there] = [clock.now(), verdict.created].map((time) => new Date(time).toISOString());
          return refuse(
            context,
            'clock-skew',
            `it was signed at ${there}, and here it is ${here}`,
            `set the clock (NTP): at most ${WINDOW / SECOND} s apart`,
          );
        }
        case 'none': {
          const token = findToken(tokens(), context.req.header('authorization'));
          if (token === undefined) {
            return refuse(
              context,
              'unauthorized',
              'no token, or an unknown one',
              'send Authorization: Bearer TOKEN, or sign the request',
            );
          }
          pass(context, known, token.id);
          return token;
        }
      }
    },
  };
}

function signable(context: Context, body: Buffer | undefined) {
  const { url, method } = context.req.raw;
  const { host } = new URL(url);
  const [, path = '/', query = ''] = /^[a-z]+:\/\/[^/?]*([^?#]*)(\?[^#]*)?/.exec(url) ?? [];
  return { method, authority: host, path: path === '' ? '/' : path, query: query === '' ? '?' : query, body };
}
