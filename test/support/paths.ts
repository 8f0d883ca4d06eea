import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root, absolute, without a trailing slash. */
export const repository = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** The built command line; `npm run build` makes what it imports. */
export const commandLine = resolve(repository, 'bin/bucketwright.cjs');

/**
 * A file of the directory that lies beside the checkout (recorded traffic, `rgw-dev`, `container-lab`), found through
 * `BUCKETWRIGHT_SHARED` or `../shared`; undefined where it is absent, which is a reason to skip, never to pass.
 */
export function sharedPath(name: string): string | undefined {
  const path = resolve(process.env.BUCKETWRIGHT_SHARED || resolve(repository, '../shared'), name);
  return existsSync(path) ? path : undefined;
}
