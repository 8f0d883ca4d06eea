import { BucketwrightError, type ErrorDetails } from '../core/errors.ts';

/** What the HTTP API answered, or that it did not. */
export class ApiError extends BucketwrightError {
  readonly code: 'unreachable' | 'denied' | 'throttled' | 'refused' | 'protocol';
  readonly status: number | undefined;

  constructor(code: ApiError['code'], message: string, details: ErrorDetails & { readonly status?: number } = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status;
  }
}
