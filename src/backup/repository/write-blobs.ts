import { ahead, handled } from '../../core/ahead.ts';
import { MiB } from '../../core/sizes.ts';
import type { Placed } from '../source/port.ts';
import { type BlobWriter, canUseThread, SameThreadWriter, ThreadWriter } from './blob-writer.ts';
import type { PageFile } from './pieces.ts';
import { AHEAD, grouped, SWIFT, weightOf } from './reader.ts';

export interface PackSource {
  readonly master: Buffer;
  readPack(name: string, start: number, length: number): Promise<Buffer>;
  /** For messages: where a blob lies. */
  blobSubject(blob: Placed['blob']): string;
}

/** Less is done before a thread has started. */
const WORTH_A_THREAD = 32 * MiB;
/** Lots that are with the writer at once: while one is written, the first blob of the next is unpacked. */
const LOTS = 2;

/**
 * Fetches blobs and writes their pieces into a file, in their order: what is written later counts.
 * @returns what was written, as it is. Nothing is written any more when the generator has ended, however it does
 * @throws BackupError `damaged`; the system's error
 */
export async function* writeBlobs(
  source: PackSource,
  placed: readonly Placed[],
  file: PageFile,
  writer: BlobWriter = writerFor(source, placed),
): AsyncGenerator<readonly Placed[]> {
  const groups = grouped(
    placed.map((what) => ({ blob: what.blob, what })),
    SWIFT,
  );
  const fetching = function* () {
    for (const group of groups) {
      yield { group, fetched: handled(source.readPack(group.pack, group.start, group.length)) };
    }
  };
  const writing = async function* () {
    for await (const { group, fetched } of ahead(fetching(), AHEAD, weightOf)) {
      const blobs = group.blobs.map(({ blob, what }) => ({
        facts: { codec: blob.codec, raw: blob.raw, tag: blob.tag },
        offset: blob.offset - group.start,
        length: blob.length,
        subject: source.blobSubject(blob),
        pieces: what.pieces,
      }));
      yield { group, written: handled(writer.write({ file, bytes: await fetched, blobs })) };
    }
  };
  try {
    for await (const { group, written } of ahead(writing(), LOTS)) {
      await written;
      yield group.blobs.map(({ what }) => what);
    }
  } finally {
    await writer.close();
  }
}

function writerFor({ master }: PackSource, placed: readonly Placed[]): BlobWriter {
  const bytes = placed.reduce((sum, { blob }) => sum + blob.raw, 0);
  return bytes >= WORTH_A_THREAD && canUseThread() ? new ThreadWriter(master) : new SameThreadWriter(master);
}
