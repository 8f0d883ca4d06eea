import { BucketwrightError } from '../core/errors.ts';

/** The settings are valid, but what they ask for cannot be written into a file for the program concerned. */
export class RenderError extends BucketwrightError {
  readonly code = 'render';
}
