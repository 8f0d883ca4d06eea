import { MiB } from '../../core/sizes.ts';
import type { Placed } from '../source/port.ts';
import { type BlobWriter, canUseThread, SameThreadWriter, ThreadWriter } from './blob-writer.ts';
import type { PageFile } from './pieces.ts';
import { ahead, grouped, handled, SWIFT } from './reader.ts';

export interface PackSource {
  readonly master: Buffer;
  readPack(name: string, start: number, length: number): Promise<Buffer>;
  /** For messages: where a blob lies. */
  blobSubject(blob: Placed['blob']): string;
}

/** Less is done before a thread has started. */
const WORTH_A_THREAD = 32 * MiB;
/** Lots that are with the writer at once: while one waits for its next blob to be unpacked, another is written. */
const LOTS = 2;

/**
 * Fetches blobs and writes their pieces, all of which are different pages, into a file; in the order of the file, as far as
 * that leaves neighbours of a pack together: what is written within a short time lies together then on the disk, too.
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
  const firstPage = ({ blobs: [first] }: (typeof groups)[number]) => first?.what.pieces[0] ?? 0;
  groups.sort((a, b) => firstPage(a) - firstPage(b));
  const fetching = function* () {
    for (const group of groups) {
      yield { group, fetched: handled(source.readPack(group.pack, group.start, group.length)) };
    }
  };
  const writing = async function* () {
    for await (const { group, fetched } of ahead(fetching(), SWIFT.fetches)) {
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
