import type { Clock } from '../../core/clock.ts';
import type { OpenBytes } from './file-bytes.ts';

/**
 * `auto`: a whole snapshot by a reflink where the file system has them, by `mdbx_copy` where that is installed, by our own
 * reader else; increments by the reader, which reads what changed only.
 */
export type Method = 'auto' | 'mdbx_copy' | 'reflink' | 'reader' | 'offline';

export interface MdbxSourceOptions {
  readonly path: string;
  readonly method: Method;
  /** A directory, for the copies of `mdbx_copy` and for clones. */
  readonly scratch: string;
  readonly mdbxCopy: string | undefined;
  readonly clock: Clock;
  /** For tests: how the live file is read. */
  readonly open?: OpenBytes | undefined;
  /** Attempts of the reader; see `capture`. */
  readonly passes?: number | undefined;
}

/** A copy of an environment that nobody writes to. */
export interface Copied {
  readonly method: 'mdbx_copy' | 'reflink';
  readonly path: string;
  /** Of the live file. */
  readonly identity: string;
  /** When it was begun: milliseconds since 1970 UTC; it holds that or a later state. */
  readonly time: number;
  remove(): Promise<void>;
}
