import { systemErrorCode } from '../core/errors.ts';
import { KiB, MiB } from '../core/sizes.ts';
import type { FileInProgress } from '../fs/file-in-progress.ts';
import { ArtifactError } from './errors.ts';
import { digestInThread, digestLater } from './file-digest.ts';
import { AHEAD, type RangedRead, receive, requireDigest } from './ranges.ts';
import { damaged } from './read.ts';

/** Bytes of a range: a request costs both sides some milliseconds, and small content shall be received by several, too. */
const LEAST = 2 * MiB;
const MOST = 16 * MiB;
/** Bytes written at once. What waits for more outlives garbage collections, so that more is more memory. */
const WRITE = 128 * KiB;

/**
 * Puts content into a file, several ranges at once, each where it belongs. The digest is that of the file: it is read back
 * from the page cache as far as it has no gap.
 * @param onProgress told how many more bytes are in the file
 * @throws ArtifactError `content-damaged`, `target` where the file cannot be written, and what `open` throws
 */
export async function saveRanges(
  read: RangedRead,
  file: FileInProgress,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  const { content, subject, signal } = read;
  const size = Math.min(MOST, Math.max(LEAST, Math.ceil(content.size / AHEAD / MiB) * MiB));
  const count = Math.ceil(content.size / size);
  const lengthOf = (index: number) => Math.min(size, content.size - index * size);
  const digest = count > 1 ? digestInThread(file.temporary) : digestLater(file.temporary);
  const ended = new AbortController();
  const either = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  /** Bytes of the ranges from the first one on that is not whole. */
  const written = new Map<number, number>();
  let whole = 0;
  let begun = 0;

  const note = (index: number, bytes: number) => {
    written.set(index, (written.get(index) ?? 0) + bytes);
    for (; written.get(whole) === lengthOf(whole); whole += 1) written.delete(whole);
    digest.upTo(Math.min(content.size, whole * size + (written.get(whole) ?? 0)));
    onProgress?.(bytes);
  };
  const save = async (index: number) => {
    const [start, length] = [index * size, lengthOf(index)];
    let pieces: Uint8Array[] = [];
    let position = 0;
    let gathered = 0;
    const write = async () => {
      await file.writePieces(pieces, start + position).catch((error: unknown) => {
        throw unwritable(file, error);
      });
      note(index, gathered);
      position += gathered;
      [pieces, gathered] = [[], 0];
    };
    // One byte more than the content has, so that an object that is longer shows.
    const asked = index === count - 1 ? length + 1 : length;
    const received = await receive(read, start, asked, either, (chunk, before) => {
      const wanted = chunk.subarray(0, length - before);
      pieces.push(wanted);
      gathered += wanted.length;
      return gathered < WRITE ? undefined : write();
    });
    if (received > length) throw damaged(subject, `it is longer than ${content.size} bytes`);
    if (received < length) throw damaged(subject, `it ends after ${start + received} of ${content.size} bytes`);
    if (gathered > 0) await write();
  };
  const saver = async () => {
    for (let index = begun++; index < count; index = begun++) await save(index);
  };
  const savers = Array.from({ length: Math.min(AHEAD, count) }, saver);
  try {
    await Promise.all(savers);
    requireDigest(await digest.hex(), content.digest, subject);
  } finally {
    // The first failure ends the others, too; nobody may write when the file is closed.
    ended.abort();
    await Promise.allSettled(savers);
    await digest.close();
  }
}

/** No failure of a connection: it is not tried again. */
function unwritable({ temporary }: FileInProgress, cause: unknown): ArtifactError {
  const code = systemErrorCode(cause);
  const why = code === 'ENOSPC' ? 'the disk is full' : (code ?? 'the write failed');
  return new ArtifactError('target', `${temporary} cannot be written (${why})`, {
    subject: temporary,
    advice: 'make room there, or pull to another place; nothing was replaced',
    cause,
  });
}
