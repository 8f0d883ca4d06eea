import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BackupError } from '../errors.ts';
import type { MdbxContent } from '../repository/model.ts';
import type { FreezeOptions, Frozen, Sink, SnapshotSource, Stored } from '../source/port.ts';
import { type Base, type Captured, capture } from './capture.ts';
import { DataFile, isDirectory, lockFilePath } from './data-file.ts';
import { holdersOf } from './holders.ts';
import { copyByTool } from './mdbx-copy.ts';
import type { Copied, MdbxSourceOptions } from './options.ts';
import { cloneFile } from './reflink.ts';
import { SegmentWriter } from './segments.ts';

/** An MDBX environment: a directory with `mdbx.dat`, or the data file itself. The live file is only ever read. */
export function mdbxSource(options: MdbxSourceOptions): SnapshotSource {
  return { kind: 'mdbx', freeze: (freezing) => freeze(options, freezing) };
}

async function freeze(options: MdbxSourceOptions, freezing: FreezeOptions): Promise<Frozen> {
  const { path, method } = options;
  const base = freezing.base?.kind === 'mdbx' ? freezing.base : undefined;
  switch (method) {
    case 'reader':
      return reader(options, freezing, base);
    case 'mdbx_copy':
      return copied(options, freezing, base, await copyByTool(options, scratchFile(options), freezing.signal));
    case 'reflink':
      return copied(options, freezing, base, await cloneFile(options, scratchFile(options), freezing.signal));
    case 'offline':
      await unheld(path);
      return reader(options, freezing, base, 'offline');
    case 'auto':
      return automatic(options, freezing, base);
  }
}

async function automatic(
  options: MdbxSourceOptions,
  freezing: FreezeOptions,
  base: MdbxContent | undefined,
): Promise<Frozen> {
  const { mdbxCopy } = options;
  const whole = base === undefined ? await bestCopy(options, freezing.signal) : undefined;
  if (whole !== undefined) return copied(options, freezing, base, whole);
  const first = reader(options, freezing, base);
  return {
    ...first,
    store: async (sink) => {
      try {
        return await first.store(sink);
      } catch (error) {
        if (!(error instanceof BackupError) || !['not-converged', 'method'].includes(error.code)) throw error;
        if (mdbxCopy === undefined) {
          // Pages without numbers can be relied on where nobody has it open.
          if (error.code !== 'method' || (await holdersOf(lockFilePath(options.path))).length > 0) throw error;
          return await reader(options, freezing, base, 'offline').store(sink);
        }
        const copy = await copyByTool(options, scratchFile(options), freezing.signal);
        await using second = copied(options, freezing, base, copy);
        return await second.store(sink);
      }
    },
  };
}

/** By the first way that works here; undefined: none does, and the reader needs none. */
async function bestCopy(options: MdbxSourceOptions, signal: AbortSignal | undefined): Promise<Copied | undefined> {
  const ways = options.mdbxCopy === undefined ? [cloneFile] : [cloneFile, copyByTool];
  for (const way of ways) {
    try {
      return await way(options, scratchFile(options), signal);
    } catch (error) {
      if (!(error instanceof BackupError) || error.code !== 'method') throw error;
    }
  }
  return undefined;
}

const scratchFile = ({ scratch }: MdbxSourceOptions): string =>
  join(scratch, `.bucketwright-${randomBytes(8).toString('hex')}.copy`);

/** The live file, by our own reader. */
function reader(
  options: MdbxSourceOptions,
  freezing: FreezeOptions,
  base: MdbxContent | undefined,
  method: 'reader' | 'offline' = 'reader',
): Frozen {
  return {
    frozen: false,
    async store(sink) {
      const file = new DataFile(options.path, options.open);
      try {
        const stored = await storeFile(file, file.identity(), options, freezing, base, sink, method === 'reader');
        if (method === 'offline') await unheld(options.path);
        return { ...stored, method };
      } finally {
        file.close();
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A copy that nobody writes to: it is read in one pass, or is no copy of an environment. */
function copied(
  options: MdbxSourceOptions,
  freezing: FreezeOptions,
  base: MdbxContent | undefined,
  copy: Copied,
): Frozen {
  return {
    frozen: true,
    async store(sink) {
      const file = new DataFile(copy.path);
      try {
        const stored = await storeFile(file, copy.identity, options, freezing, base, sink, false);
        return { ...stored, method: copy.method, time: copy.time };
      } finally {
        file.close();
      }
    },
    [Symbol.asyncDispose]: copy.remove,
  };
}

/**
 * @param identity of the live file
 * @param live whether somebody may be writing to `file`
 */
async function storeFile(
  file: DataFile,
  identity: string,
  { clock, path, passes }: MdbxSourceOptions,
  { signal }: FreezeOptions,
  base: MdbxContent | undefined,
  sink: Sink,
  live: boolean,
): Promise<Omit<Stored, 'method'>> {
  const { pageSize } = file.head().meta;
  const segments = new SegmentWriter(sink, pageSize);
  const usable: Base | undefined =
    base?.file === identity && base.pageSize === pageSize ? { ...base, file: file.identity() } : undefined;
  const keep = (first: number, bytes: Buffer) => segments.put(first, bytes);
  const captured = await capture(file, {
    base: usable,
    keep,
    clock,
    live,
    passes: live ? passes : 1,
    signal,
  });
  const written = await segments.finish();
  await sink.finish();
  const free = captured.free.length === 0 ? {} : { free: captured.free };
  const layer = {
    ...(await sink.document({ version: 1, segments: written, ...free })),
    level: 0,
    pages: segments.pages,
    stored: written.reduce((sum, { blob }) => sum + blob.length, 0),
  };
  const layers = captured.base === undefined || base === undefined ? [layer] : [...base.layers, layer];
  return { content: contentOf(captured, layers, identity, path), read: file.bytesRead, time: captured.time };
}

function contentOf({ meta }: Captured, layers: MdbxContent['layers'], identity: string, path: string): MdbxContent {
  return {
    kind: 'mdbx',
    txnid: meta.txnid,
    pageSize: meta.pageSize,
    meta: meta.bytes.toString('base64'),
    slot: meta.slot,
    environmentId: meta.environmentId,
    file: identity,
    subdirectory: isDirectory(path),
    layers,
  };
}

/** @throws BackupError `method` where a process has the environment open */
async function unheld(path: string): Promise<void> {
  const holders = await holdersOf(lockFilePath(path));
  if (holders.length === 0) return;
  throw new BackupError('method', `${path} is open in process ${holders.join(', ')}`, {
    subject: path,
    advice: 'stop it first, or use --method reader',
  });
}
