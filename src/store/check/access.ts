import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, systemErrorCode } from '../../core/errors.ts';
import { takeLock } from '../../fs/lock-file.ts';
import { CURRENT_FORMAT, parseFormat } from '../format.ts';
import { type Index, openIndex } from '../index/database.ts';
import { waitForFormerOwners } from '../recovery.ts';

/** A data directory as a tool sees it, beside or instead of its server. */
export interface OpenDirectory {
  readonly directory: string;
  readonly index: Index;
  /** Nobody else has it open: what is seen stays so, and may be changed. False: a server runs, and nothing is written. */
  readonly exclusive: boolean;
  /** Lets go of the index and keeps the directory: nobody else has it until `close`. */
  closeIndex(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a data directory of the current format. Where a server holds it, it is read beside that server; unless it is
 * needed alone.
 * @throws HostError `data-directory-held`, `data-directory-format`
 */
export async function openDirectory(directory: string, needs: 'alone' | 'to read'): Promise<OpenDirectory> {
  await assertFormat(directory);
  const lock = await takeLock(join(directory, 'LOCK')).catch((error: unknown) => {
    if (needs === 'to read' && error instanceof HostError && error.code === 'data-directory-held') return undefined;
    throw error;
  });
  try {
    const index = openIndex({ directory: join(directory, 'index'), durable: true, readOnly: lock === undefined });
    // Members of a group whose first process died may still be ending.
    if (lock !== undefined) await waitForFormerOwners(directory, index);
    let closing: Promise<void> | undefined;
    const closeIndex = () => {
      closing ??= index.root.close();
      return closing;
    };
    return {
      directory,
      index,
      exclusive: lock !== undefined,
      closeIndex,
      async close() {
        await closeIndex();
        await lock?.release();
      },
    };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** @throws HostError `data-directory-format` */
export async function assertFormat(directory: string): Promise<void> {
  const text = await readFile(join(directory, 'FORMAT'), 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return '';
    throw error;
  });
  const format = parseFormat(text);
  if (format === undefined) {
    throw new HostError('data-directory-format', `${directory} is no data directory: it has no FORMAT mark`, {
      subject: directory,
      advice: 'name the directory that bucketwright serve uses, with --data',
    });
  }
  if (format !== CURRENT_FORMAT) {
    throw new HostError(
      'data-directory-format',
      `${directory} has format ${format}, this program reads ${CURRENT_FORMAT}`,
      {
        subject: directory,
        advice:
          format < CURRENT_FORMAT
            ? 'start bucketwright serve on it once: that brings it to this format'
            : 'use the newer version of bucketwright that wrote it',
      },
    );
  }
}
