import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { authenticator } from '../../src/s3/authenticate.ts';
import { toS3Error } from '../../src/s3/errors.ts';
import { Query } from '../../src/s3/query.ts';
import { parseTarget } from '../../src/s3/target.ts';
import { sameSignature } from '../../src/sigv4/keys.ts';
import { owner, region, signedHeaders } from './service.ts';

/** The median of each in milliseconds. They go in turn, so that whatever else the machine does meets all of them. */
function medians(rounds: number, attempts: readonly (() => unknown)[]): readonly number[] {
  const times = attempts.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, attempt] of attempts.entries()) {
      const began = performance.now();
      attempt();
      times[at]?.push(performance.now() - began);
    }
  }
  return times.map((values) => values.toSorted((x, y) => x - y)[values.length >> 1] ?? Number.NaN);
}

it('an unknown key takes as long as a wrong signature, and one that is nearly right takes no longer', () => {
  const { authorization = '', ...headers } = signedHeaders(9000, 'GET', '/bucket/key');
  const verify = authenticator({ find: (id) => (id === owner.accessKeyId ? owner : undefined) }, region, systemClock);
  const target = parseTarget('/bucket/key', headers.host, undefined);
  const refused = (value: string) => {
    const req = new IncomingMessage(new Socket());
    Object.assign(req.headers, { ...headers, authorization: value });
    req.method = 'GET';
    return () => {
      try {
        return verify(req, target, Query.empty);
      } catch (error) {
        return toS3Error(error).code;
      }
    };
  };
  const other = (digit: string) => (digit === '0' ? '1' : '0');
  const unknown = refused(authorization.replace(owner.accessKeyId, 'NOBODYNOBODYNOBODY00'));
  const wrong = refused(authorization.replace(/(?<=Signature=)./, other));
  const nearly = refused(authorization.replace(/.$/, other));
  expect([unknown(), wrong(), nearly()]).toEqual([
    'InvalidAccessKeyId',
    'SignatureDoesNotMatch',
    'SignatureDoesNotMatch',
  ]);
  const [ofUnknown = Number.NaN, ofWrong = Number.NaN, ofNearly = Number.NaN] = medians(3000, [unknown, wrong, nearly]);
  // A key that is not looked at any further would take a fraction.
  for (const ratio of [ofUnknown / ofWrong, ofNearly / ofWrong]) {
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  }
});

it('signatures are compared to the end, wherever they differ first', () => {
  const expected = 'a'.repeat(1_000_000);
  const first = `b${expected.slice(1)}`;
  const last = `${expected.slice(1)}b`;
  expect([first, last].map((given) => sameSignature(expected, given))).toEqual([false, false]);
  const [ofFirst = Number.NaN, ofLast = Number.NaN] = medians(100, [
    () => sameSignature(expected, first),
    () => sameSignature(expected, last),
  ]);
  expect(ofFirst / ofLast).toBeGreaterThan(0.5);
});
