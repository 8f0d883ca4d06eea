import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

/** Why something cannot be done for a tenant. */
export type TenantErrorCode =
  /** The manifest has no tenant of this name. */
  | 'no-such-tenant'
  | 'tenant-exists'
  /** What is wanted is worthless, impossible or would shut the acting key out; nothing was changed. */
  | 'refused'
  /** The manifest cannot be edited where the tenant stands. */
  | 'manifest'
  /** A file of a tenant's keys is missing or no such file. */
  | 'keys';

export class TenantError extends BucketwrightError {
  readonly code: TenantErrorCode;

  constructor(code: TenantErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
