import { isTemporaryName } from '../fs/file-in-progress.ts';
import { isWellFormed } from './keys.ts';

/**
 * Why keys cannot be paths below a directory, asked in the order of keys. A key is taken as it is, without escapes: what
 * has no faithful name is refused, so that a directory read back always gives the same keys.
 */
export function fileNameRefusals(): (key: string) => string | undefined {
  // The keys so far of which the current one is a continuation: only these can be a file where a directory must be.
  let open: string[] = [];
  return (key) => {
    const own = fileNameRefusal(key);
    if (own !== undefined) return own;
    open = open.filter((shorter) => key.startsWith(shorter));
    const file = open.find((shorter) => key.startsWith(`${shorter}/`));
    open.push(key);
    return file === undefined ? undefined : `${file} is an object too, and a file cannot be a directory as well`;
  };
}

/** What is wrong with one key alone. Limits: NAME_MAX and PATH_MAX of Linux, in bytes. */
export function fileNameRefusal(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.startsWith('/')) return 'it begins with a slash';
  if (key.endsWith('/')) return 'it ends in a slash, which only directories may';
  if (key.includes('\0')) return 'it holds a zero byte';
  if (!isWellFormed(key)) return 'it is no valid Unicode';
  if (Buffer.byteLength(key) > 3_800) return 'it is too long for a path';
  for (const name of key.split('/')) {
    if (name === '') return 'it holds two slashes in a row';
    if (name === '.' || name === '..') return `it holds the path segment ${name}`;
    if (Buffer.byteLength(name) > 255) return 'it holds a name of more than 255 bytes';
    if (isTemporaryName(name)) return 'it is the name of our own temporary files';
  }
  return undefined;
}
