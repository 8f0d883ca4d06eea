import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, syncFile } from './durable.ts';

/** Makes a directory that was just written survive a power cut, with all files and directories in it. */
export async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncDirectory(directory);
}
