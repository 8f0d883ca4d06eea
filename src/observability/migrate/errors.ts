import { BucketwrightError } from '../../core/errors.ts';

/** The configuration in hand, or what was asked of it, does not allow a migration. Nothing was written. */
export class MigrationError extends BucketwrightError {
  readonly code = 'migration';
}
