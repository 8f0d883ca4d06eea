import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { repository } from './paths.ts';

/**
 * The first executable called `name`: Debian's own before the user's PATH, since a version manager's shim answers for
 * another version than the one the tests name. Programs that `script/setup-clients` unpacked come last.
 */
export function program(name: string): string | undefined {
  const folders = [
    '/usr/bin',
    '/usr/sbin',
    ...(process.env.PATH ?? '').split(delimiter),
    join(repository, '.cache/bin'),
  ];
  return folders.map((folder) => join(folder, name)).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why a client's tests cannot run: what is said in its skip. */
export const notInstalled = (name: string): string => `${name} is not installed (script/setup-clients installs it)`;
