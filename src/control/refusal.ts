import { ArtifactError } from '../artifacts/index.ts';
import { ClientError } from '../client/index.ts';
import { BucketwrightError, UsageError } from '../core/errors.ts';

const statuses = {
  unauthorized: 401,
  'clock-skew': 401,
  forbidden: 403,
  'read-only': 403,
  'too-many-requests': 429,
} as const;

/** What the API itself refuses, before the store is asked. */
export class Refusal extends BucketwrightError {
  static override readonly traced = false;
  readonly code: keyof typeof statuses;

  constructor(code: Refusal['code'], message: string, advice: string) {
    super(message, { advice });
    this.code = code;
  }
}

/** The only map from errors to the API's statuses. */
export function statusOf(error: unknown): 400 | 401 | 403 | 404 | 409 | 410 | 429 | 500 | 502 {
  if (error instanceof Refusal) return statuses[error.code];
  if (error instanceof UsageError) return 400;
  if (error instanceof ClientError) return 502;
  if (!(error instanceof ArtifactError)) return 500;
  switch (error.code) {
    case 'invalid':
      return 400;
    case 'no-such-version':
    case 'no-such-channel':
      return 404;
    case 'ticket':
      return 403;
    case 'version-exists':
    case 'condemned':
      return 409;
    case 'content-missing':
      return 410;
    default:
      return 502;
  }
}
