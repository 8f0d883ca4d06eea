import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A file of the installed package, by its path from the package's root: `package.json`, `bin/bucketwright.cjs`. The root
 * is searched for, because this module lies in `src/`, in `dist/` or in `dist/bundle/`.
 * @throws Error when no directory above this module has a package.json
 */
export function installedFile(path: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let directory = here; directory !== dirname(directory); directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return join(directory, path);
  }
  throw new Error(`no package.json above ${here}`);
}
