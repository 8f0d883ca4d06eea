import type { z } from 'zod';
import { ArtifactError } from '../artifacts/index.ts';
import { ClientError } from '../client/index.ts';
import { BucketwrightError, UsageError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { errorSchema } from './schemas.ts';

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
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: Refusal['code'], message: string, advice: string, headers: Refusal['headers'] = {}) {
    super(message, { advice });
    this.code = code;
    this.headers = headers;
  }
}

export interface ErrorAnswer {
  readonly status: ReturnType<typeof statusOf>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: z.output<typeof errorSchema>;
}

/** What is answered for any error. @param route and not the path, which may hold a ticket */
export function answerOf(error: unknown, log: Logger, route: string): ErrorAnswer {
  const status = statusOf(error);
  if (!(error instanceof BucketwrightError) || status >= 500) log.error({ err: error, route }, 'a request failed');
  const headers = error instanceof Refusal ? error.headers : {};
  if (!(error instanceof BucketwrightError)) {
    return { status, headers, body: { error: { code: 'unexpected', message: 'unexpected failure' } } };
  }
  const { code, message, advice } = error;
  return { status, headers, body: { error: { code, message, ...(advice === undefined ? {} : { advice }) } } };
}

/** The only map from errors to the API's statuses. */
function statusOf(error: unknown): 400 | 401 | 403 | 404 | 409 | 410 | 429 | 500 | 502 {
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
