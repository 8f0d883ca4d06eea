import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract as tarExtract } from 'tar-stream';
import { BucketwrightError, systemErrorCode } from '../core/errors.ts';
import { ArtifactError } from './errors.ts';

/** What an archive may become at most. */
export interface UnpackLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Files and directories together. */
  readonly entries: number;
}

export const defaultLimits: UnpackLimits = { bytes: 64 * 1024 ** 3, entries: 200_000 };

const LONGEST_PATH = 4096;

/**
 * Unpacks a tar into a directory that is empty and ours alone. Only files and directories below it, each once; anything
 * else refuses the whole archive. Nothing is synced.
 * @throws ArtifactError `unsafe-archive`
 */
export async function unpack(bytes: AsyncIterable<Uint8Array>, directory: string, limits: UnpackLimits): Promise<void> {
  const archive = tarExtract();
  let source: { readonly failure: unknown } | undefined;
  const watched = async function* () {
    try {
      yield* bytes;
    } catch (failure) {
      source = { failure };
      throw failure;
    }
  };
  const reading = pipeline(Readable.from(watched()), archive);
  reading.catch(() => {});
  let [total, entries] = [0, 0];
  try {
    for await (const entry of archive) {
      const { name, type, size = 0, mode = 0 } = entry.header;
      entries += 1;
      total += size;
      if (entries > limits.entries) throw unsafe(name, `more than ${limits.entries} files and directories`);
      if (total > limits.bytes) throw unsafe(name, `more than ${limits.bytes} bytes`);
      const path = join(directory, ...safeSteps(name));
      if (type === 'directory') {
        await mkdir(path, { recursive: true, mode: 0o755 });
        entry.resume();
      } else if (type === 'file' || type === 'contiguous-file') {
        await mkdir(dirname(path), { recursive: true, mode: 0o755 });
        // wx: neither a second entry of one name nor anything that lies there is written through.
        await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: (mode & 0o100) === 0 ? 0o644 : 0o755 }));
      } else {
        throw unsafe(name, `a ${type ?? 'thing'} is neither a file nor a directory`);
      }
    }
  } catch (error) {
    archive.destroy();
    await reading.catch(() => {});
    // Where the source failed, all else only followed.
    const cause = source === undefined ? error : source.failure;
    const code = systemErrorCode(cause);
    if (cause instanceof BucketwrightError) throw cause;
    if (code === 'EEXIST') throw unsafe('a path', 'it comes twice', cause);
    throw code?.startsWith('E') === true && !code.startsWith('ERR_') ? cause : unsafe('', 'it is not a tar', cause);
  }
  await reading;
}

/** The steps of a path that stays where it is put. @throws ArtifactError `unsafe-archive` */
export function safeSteps(name: string): readonly string[] {
  const path = name.endsWith('/') ? name.slice(0, -1) : name;
  const steps = path.split('/');
  const bad = steps.some((step) => step === '' || step === '.' || step === '..' || /[\0\\]/.test(step));
  if (path === '' || bad) throw unsafe(name, 'its path leaves the directory');
  if (Buffer.byteLength(path) > LONGEST_PATH) throw unsafe(name.slice(0, 80), 'its path is too long');
  return steps;
}

function unsafe(name: string, why: string, cause?: unknown): ArtifactError {
  return new ArtifactError('unsafe-archive', `the archive is not unpacked: ${JSON.stringify(name)}: ${why}`, {
    subject: name,
    advice: 'do not use it, and find out who pushed it: bucketwright artifact push writes no such archive',
    cause,
  });
}
