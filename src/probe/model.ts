import { ClientError, codeOf, type RawAnswer } from '../client/index.ts';
import type { Feature, FeatureState } from '../providers/index.ts';

/** What one feature turned out to be on one endpoint. `unknown`: it could not be measured, and `found` says why. */
export interface Measurement {
  readonly feature: Feature;
  readonly state: FeatureState;
  /** One line: what was seen. */
  readonly found: string;
}

export type Verdict = Omit<Measurement, 'feature'>;

export const yes = (found: string): Verdict => ({ state: 'yes', found });
export const partial = (found: string): Verdict => ({ state: 'partial', found });
export const no = (found: string): Verdict => ({ state: 'no', found });
export const unmeasured = (found: string): Verdict => ({ state: 'unknown', found });

export const succeeded = ({ status }: RawAnswer): boolean => status >= 200 && status < 300;

/** Status and S3 code, such as `501 NotImplemented`. */
export function described({ status, body }: RawAnswer): string {
  return [status, codeOf(body)].filter((part) => part !== undefined).join(' ');
}

/** What a refusal proves: a 403 that the key may not, a failure of the provider nothing at all, all else that it cannot. */
export function refused(answer: RawAnswer): Verdict {
  if (answer.status === 401 || answer.status === 403) return unmeasured(`denied to this key (${described(answer)})`);
  const transient = answer.status === 429 || (answer.status >= 500 && answer.status !== 501);
  return transient ? unmeasured(`the provider failed (${described(answer)})`) : no(described(answer));
}

/** The same of what the client made of a refusal. Anything else that is thrown goes on. */
export function refusedByError(error: unknown): Verdict {
  if (!(error instanceof ClientError)) throw error;
  const { code, status, s3Code } = error;
  const seen = [status, s3Code].filter((part) => part !== undefined).join(' ') || code;
  if (code === 'denied' || code === 'bad-credentials') return unmeasured(`denied to this key (${seen})`);
  if (code === 'throttled' || code === 'server' || code === 'unreachable' || code === 'tls') {
    return unmeasured(`the provider failed (${seen})`);
  }
  return no(code === 'protocol' ? `${seen}: the answer is something else` : seen);
}
