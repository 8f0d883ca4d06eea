import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

/** A user, key or policy that cannot be had. */
export class UserError extends BucketwrightError {
  readonly code:
    | 'no-such-user'
    | 'user-exists'
    | 'key-exists'
    | 'no-such-policy'
    | 'invalid'
    | 'busy'
    | 'server-key'
    | 'damaged';

  constructor(code: UserError['code'], message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.code = code;
  }
}
