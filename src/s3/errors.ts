import { BucketwrightError, type ErrorDetails, unreachable } from '../core/errors.ts';
import { SigV4Error } from '../sigv4/index.ts';
import { StoreError } from '../store/errors.ts';
import { messageOf, type S3ErrorCode, statusOf } from './error-codes.ts';
import { httpDate } from './wire/dates.ts';

export interface S3ErrorDetails extends ErrorDetails {
  /** Further elements of the error document, in order (`BucketName`, `ArgumentName` …). */
  readonly elements?: Readonly<Record<string, string>>;
  /** Further response headers, flat: name, value, name, value. */
  readonly headers?: readonly string[];
}

/** A refusal in S3's words; the message goes to the client. */
export class S3Error extends BucketwrightError {
  static override readonly traced = false;
  readonly code: S3ErrorCode;
  readonly elements: Readonly<Record<string, string>>;
  readonly headers: readonly string[];

  constructor(code: S3ErrorCode, message: string = messageOf(code), details: S3ErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.elements = details.elements ?? {};
    this.headers = details.headers ?? [];
  }

  get status(): number {
    return statusOf(this.code);
  }
}

/** `InvalidArgument` about one named header or parameter. */
export function invalidArgument(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', message, {
    subject: name,
    elements: { ArgumentName: name, ArgumentValue: value.slice(0, 256) },
  });
}

export function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `${messageOf('NotImplemented')}: ${what}`, {
    subject: what,
    elements: { Header: what },
  });
}

/** Whatever was thrown, as the one error the client sees. What we did not foresee is InternalError and keeps its cause. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  if (error instanceof StoreError) return fromStore(error);
  // sigv4 speaks S3's own codes.
  if (error instanceof SigV4Error) {
    return new S3Error(error.code, error.message, { cause: error, subject: error.subject, elements: error.elements });
  }
  return new S3Error('InternalError', undefined, { cause: error });
}

function fromStore(error: StoreError): S3Error {
  const make = (
    code: S3ErrorCode,
    elements: Record<string, string | undefined> = {},
    message?: string,
    headers: readonly string[] = [],
  ) => {
    const given = Object.entries(elements).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return new S3Error(code, message, { cause: error, elements: Object.fromEntries(given), headers });
  };
  switch (error.code) {
    case 'no-such-bucket':
      return make('NoSuchBucket', { BucketName: error.bucket });
    case 'bucket-exists':
      return make('BucketAlreadyExists', { BucketName: error.bucket });
    case 'bucket-not-empty':
      return make('BucketNotEmpty', { BucketName: error.bucket });
    case 'no-such-key':
      return make('NoSuchKey', { Key: error.key }, undefined, markerHeaders(error));
    case 'no-such-version':
      return make('NoSuchVersion', { Key: error.key, VersionId: error.versionId });
    case 'invalid-version':
      return make(
        'InvalidArgument',
        { ArgumentName: 'versionId', ArgumentValue: error.versionId?.slice(0, 256) },
        'Invalid version id specified',
      );
    case 'delete-marker':
      return make('MethodNotAllowed', { ResourceType: 'DeleteMarker' }, undefined, [
        ...markerHeaders(error),
        'Allow',
        'DELETE',
      ]);
    case 'object-locked':
      return make('AccessDenied', {}, 'Access Denied because object protected by object lock.');
    case 'no-object-lock':
      return make('InvalidRequest', {}, 'Bucket is missing Object Lock Configuration');
    case 'versioning-required':
      return make(
        'InvalidBucketState',
        { BucketName: error.bucket },
        "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
      );
    case 'versioning-locked':
      return make(
        'InvalidBucketState',
        { BucketName: error.bucket },
        'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
      );
    case 'retention-past':
      return make('InvalidArgument', {}, 'The retain until date must be in the future!');
    case 'precondition-failed':
      return make('PreconditionFailed');
    case 'no-such-upload':
      return make('NoSuchUpload', { UploadId: error.uploadId });
    case 'invalid-part':
      return make('InvalidPart', { UploadId: error.uploadId, PartNumber: error.partNumber?.toString() });
    case 'part-too-small':
      return make('EntityTooSmall', { PartNumber: error.partNumber?.toString() });
    case 'too-large':
      return make('EntityTooLarge');
    case 'incomplete-body':
      return make('IncompleteBody');
    case 'checksum-mismatch':
      return make('BadDigest');
    case 'size-mismatch':
      return make('InvalidRequest', {}, 'The provided x-amz-mp-object-size does not match the size of the parts.');
    case 'disk-full':
      return make('InsufficientStorage');
    case 'busy':
      return make('SlowDown', {}, undefined, ['Retry-After', '1']);
    case 'closed':
      return make('ServiceUnavailable');
    case 'damaged':
      return make('InternalError');
    default:
      return unreachable(error.code);
  }
}

/** S3 tells of a delete marker in the way, and when it was made; where there is none it says so too. */
function markerHeaders({ deleteMarker }: StoreError): readonly string[] {
  if (deleteMarker === undefined) return ['x-amz-delete-marker', 'false'];
  const { versionId, modified } = deleteMarker;
  return ['x-amz-delete-marker', 'true', 'x-amz-version-id', versionId, 'Last-Modified', httpDate(modified)];
}
