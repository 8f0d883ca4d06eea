import { copyFileSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../../core/errors.ts';
import { MiB } from '../../core/sizes.ts';

/** Bytes that the log of a detached server may have before it is begun anew; the one before is kept beside it. */
export const LOG_LIMIT = 8 * MiB;

/**
 * Lines into a log file that this process was started with as an open descriptor, in append mode. The file keeps its
 * name and descriptor, so that what Node itself says when it ends badly lands in it as well; what is cut off is in
 * `<path>.1`. Both together never take more than twice the limit. A log that cannot be written, as on a full disk, is
 * no reason to stop serving.
 */
export function boundedLog(path: string, descriptor: number, limit = LOG_LIMIT): { write(line: string): void } {
  let size = fstatSync(descriptor).size;
  return {
    write(line) {
      if (size + Buffer.byteLength(line) > limit && size > 0) {
        unlessImpossible(() => copyFileSync(path, `${path}.1`));
        unlessImpossible(() => {
          ftruncateSync(descriptor, 0);
          size = 0;
        });
      }
      unlessImpossible(() => {
        size += writeSync(descriptor, line);
      });
    },
  };
}

function unlessImpossible(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}
