import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../support/programs.ts';

const gcc = program('gcc');
/** Whether the library that fails writes can be made here. */
export const canFailWrites = gcc !== undefined && process.platform === 'linux';
export const whyNot = 'gcc is not installed, or this is not Linux: it makes the library that fails writes';

/** What the server says before it ends: once its root page cannot be written, LMDB is of no use to its process. */
export const BROKEN = 'the disk failed under the index';

export interface FailingDisk {
  /** For the library; it and nothing of the server lies here. */
  readonly directory: string;
  readonly data: string;
  /** While there is such a file, the disk fails. */
  readonly breaks: string;
  /** See eio.c; default: everything below `data`. */
  readonly only?: string;
  readonly percent?: number;
}

/** The environment of a server whose disk fails at random, by a library that is loaded into it. */
export function failingDisk({ directory, data, breaks, only = '', percent = 100 }: FailingDisk) {
  const library = join(directory, 'eio.so');
  const source = join(import.meta.dirname, 'eio.c');
  execFileSync(gcc ?? '', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  const how = { EIO_ONLY: only, EIO_PERCENT: String(percent) };
  return { LD_PRELOAD: library, EIO_SWITCH: breaks, EIO_BELOW: data, ...how };
}
