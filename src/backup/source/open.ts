import type { Clock } from '../../core/clock.ts';
import { directorySource } from '../directory/source.ts';
import type { Method } from '../mdbx/options.ts';
import { mdbxSource } from '../mdbx/source.ts';
import type { SnapshotSource } from './port.ts';

export interface SourceOptions {
  readonly kind: 'mdbx' | 'directory';
  readonly path: string;
  /** How to copy an environment. */
  readonly method: Method;
  /** A directory for copies that a method makes. */
  readonly scratch: string;
  /** The program, where it is installed. */
  readonly mdbxCopy: string | undefined;
  readonly clock: Clock;
}

export function openSource(options: SourceOptions): SnapshotSource {
  return options.kind === 'mdbx' ? mdbxSource(options) : directorySource(options);
}
