import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

export type TransferErrorCode =
  /** Keys that cannot be file names, before anything was copied. */
  | 'unnameable'
  /** Gone since the listing. */
  | 'vanished'
  /** The source changed while it was read. */
  | 'changed'
  /** The source's bytes do not have the source's own checksum. */
  | 'damaged'
  /** The destination stored something else than was sent. */
  | 'not-stored'
  /** A path of the destination leaves its directory (a symbolic link), or a file is where a directory must be. */
  | 'path'
  /** A listing came out of order, so that it cannot be compared. */
  | 'unsorted'
  /** The state file cannot be used. */
  | 'state';

export class TransferError extends BucketwrightError {
  readonly code: TransferErrorCode;

  constructor(code: TransferErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
