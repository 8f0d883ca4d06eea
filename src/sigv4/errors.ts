import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

/** S3's own error codes (Amazon S3 API Reference, "Error responses"), as far as signatures and chunks can cause them. */
export type SigV4Code =
  | 'AccessDenied'
  | 'AuthorizationHeaderMalformed'
  | 'AuthorizationQueryParametersError'
  | 'IncompleteBody'
  | 'InvalidArgument'
  | 'InvalidChunkSizeError'
  | 'InvalidRequest'
  | 'InvalidURI'
  | 'MalformedTrailerError'
  | 'NotImplemented'
  | 'RequestTimeTooSkewed'
  | 'SignatureDoesNotMatch';

/** What exactly was wrong, where several causes share one S3 code. Stable: for tests, metrics and advice. */
export type SigV4Reason =
  | 'authorization-malformed'
  | 'authorization-unsupported'
  | 'chunk-framing'
  | 'chunk-signature'
  | 'content-sha256-invalid'
  | 'content-sha256-missing'
  | 'content-sha256-unsupported'
  | 'date-invalid'
  | 'expired'
  | 'headers-unsigned'
  | 'length-mismatch'
  | 'mechanisms-mixed'
  | 'not-yet-valid'
  | 'query-malformed'
  | 'scope-wrong'
  | 'signature-v2'
  | 'signature-wrong'
  | 'skewed'
  | 'trailer-malformed'
  | 'truncated'
  | 'uri-invalid';

export interface SigV4ErrorDetails extends ErrorDetails {
  /** Further elements of S3's error document, such as `Region`: names are S3's, values are text. */
  readonly elements?: Readonly<Record<string, string>> | undefined;
}

export class SigV4Error extends BucketwrightError {
  static override readonly traced = false;
  readonly code: SigV4Code;
  readonly reason: SigV4Reason;
  readonly elements: Readonly<Record<string, string>>;

  constructor(code: SigV4Code, reason: SigV4Reason, message: string, details: SigV4ErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.reason = reason;
    this.elements = details.elements ?? {};
  }
}
