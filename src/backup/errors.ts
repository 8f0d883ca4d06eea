import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

export type BackupErrorCode =
  /** The file is no MDBX environment, or of a version that we do not know. */
  | 'not-mdbx'
  /** The structure of the source (or of a copy) contradicts itself. */
  | 'structure'
  /** The writer was faster than every attempt: nothing was stored. */
  | 'not-converged'
  /** The method asked for cannot work here. */
  | 'method'
  | 'source'
  | 'hook'
  /** What the daemon is told to do is wrong. */
  | 'configuration'
  | 'no-repository'
  | 'repository-exists'
  | 'repository-format'
  /** No key slot opens with this passphrase or key file. */
  | 'wrong-key'
  /** What the repository holds is not what was stored: changed, truncated or missing. */
  | 'damaged'
  | 'no-such-snapshot'
  | 'target-exists'
  /** Where something is restored to cannot be written. */
  | 'target'
  /** Another process holds the lease. */
  | 'busy';

export class BackupError extends BucketwrightError {
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
