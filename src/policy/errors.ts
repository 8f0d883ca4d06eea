import { BucketwrightError } from '../core/errors.ts';

/** A policy document that cannot be taken; the message says which part and why. */
export class PolicyError extends BucketwrightError {
  readonly code: 'malformed' | 'invalid-principal' | 'too-large';

  constructor(code: PolicyError['code'], message: string, subject?: string) {
    super(message, { subject });
    this.code = code;
  }
}
