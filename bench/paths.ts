import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, wherever this file was compiled to. */
export const repository = ((): string => {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package-lock.json')) || directory.includes('.cache')) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('the bench runs inside the checkout only');
    directory = parent;
  }
  return directory;
})();

/** Compiled bench, peers and data directories: on the checkout's disk, ignored by git. */
export const cacheDirectory = join(repository, 'bench', '.cache');
