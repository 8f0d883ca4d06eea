import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

export type ClientErrorCode =
  /** No answer: the name does not resolve, nothing listens, or the time ran out. */
  | 'unreachable'
  /** The TLS handshake or the certificate failed, or one side speaks TLS and the other does not. */
  | 'tls'
  /** The key id is unknown or the secret is wrong. */
  | 'bad-credentials'
  | 'denied'
  | 'clock-skew'
  | 'wrong-region'
  | 'no-such-bucket'
  | 'no-such-key'
  | 'no-such-upload'
  /** The bucket's name is taken by another account. */
  | 'owned-by-other'
  /** The bucket is ours already. */
  | 'already-owned'
  | 'bucket-not-empty'
  | 'precondition-failed'
  | 'range'
  | 'checksum'
  | 'throttled'
  | 'not-implemented'
  /** The provider failed (5xx). */
  | 'server'
  /** The provider refuses the request as it is (4xx). */
  | 'refused'
  /** The answer is not S3's. */
  | 'protocol';

export interface ClientErrorDetails extends ErrorDetails {
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined;
  /** S3's own code, such as `NoSuchBucket`, where there was one. */
  readonly s3Code?: string | undefined;
  readonly requestId?: string | undefined;
}

/** What an S3 API answered, or that it did not, told apart by `code`. */
export class ClientError extends BucketwrightError {
  readonly code: ClientErrorCode;
  readonly status: number | undefined;
  readonly s3Code: string | undefined;
  readonly requestId: string | undefined;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
    this.s3Code = details.s3Code;
    this.requestId = details.requestId;
  }
}
