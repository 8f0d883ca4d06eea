import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Place, stateFileName } from '../transfer/index.ts';
import type { CliContext } from './context.ts';

/** Where a transfer between these two places remembers what is done, unless told otherwise. */
export function statePath(source: Place, destination: Place, { environment }: CliContext): string {
  const base = environment.XDG_STATE_HOME || join(environment.HOME || homedir(), '.local/state');
  return join(base, 'bucketwright/transfer', stateFileName(source.name, destination.name));
}
