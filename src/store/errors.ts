import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

export type StoreErrorCode =
  | 'no-such-bucket'
  | 'bucket-exists'
  | 'bucket-not-empty'
  | 'no-such-key'
  | 'no-such-version'
  /** The text is no version id of this store. */
  | 'invalid-version'
  /** The version asked for is a delete marker. */
  | 'delete-marker'
  /** Retention or a legal hold protects the version. */
  | 'object-locked'
  /** The bucket has no object lock. */
  | 'no-object-lock'
  /** Object lock needs versioning to be enabled. */
  | 'versioning-required'
  /** Object lock keeps versioning from being suspended. */
  | 'versioning-locked'
  | 'retention-past'
  | 'precondition-failed'
  | 'no-such-upload'
  /** A part that completion names does not exist or has another entity tag or checksum. */
  | 'invalid-part'
  /** A part other than the last is under 5 MiB. */
  | 'part-too-small'
  | 'too-large'
  /** Fewer or more bytes came than were declared. */
  | 'incomplete-body'
  | 'checksum-mismatch'
  /** The client's size for the whole object is not the sum of the parts. */
  | 'size-mismatch'
  | 'disk-full'
  /** Too much work is waiting; try again. */
  | 'busy'
  | 'closed'
  /** An index entry whose body is missing or altered. */
  | 'damaged';

export interface StoreErrorDetails extends ErrorDetails {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly uploadId?: string | undefined;
  readonly partNumber?: number | undefined;
  readonly versionId?: string | undefined;
  /** The delete marker that stands in the way. */
  readonly deleteMarker?: { readonly versionId: string; readonly modified: number } | undefined;
}

/** Everything the object engine refuses, told apart by `code`. */
export class StoreError extends BucketwrightError {
  static override readonly traced = false;
  readonly code: StoreErrorCode;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly uploadId: string | undefined;
  readonly partNumber: number | undefined;
  readonly versionId: string | undefined;
  readonly deleteMarker: StoreErrorDetails['deleteMarker'];

  constructor(code: StoreErrorCode, message: string, details: StoreErrorDetails = {}) {
    super(message, { subject: details.key ?? details.bucket, ...details });
    this.code = code;
    this.bucket = details.bucket;
    this.key = details.key;
    this.uploadId = details.uploadId;
    this.partNumber = details.partNumber;
    this.versionId = details.versionId;
    this.deleteMarker = details.deleteMarker;
  }
}
