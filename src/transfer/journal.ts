import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { systemErrorCode } from '../core/errors.ts';
import { makeDirectoryDurably, writeFileDurably } from '../fs/durable.ts';
import { type DirectoryLock, takeLock } from '../fs/lock-file.ts';
import { TransferError } from './errors.ts';
import type { Leftover, ListedObject } from './place.ts';

const heading = z.object({ transfer: z.literal(1), source: z.string(), destination: z.string() });
const line = z.union([
  z.object({ done: z.string(), source: z.string(), there: z.string() }),
  z.object({ begun: z.string(), at: z.number() }),
  z.object({ begun: z.string(), uploadId: z.string() }),
  z.object({ begun: z.string(), path: z.string() }),
]);

/**
 * What earlier runs of the same transfer did, as JSON lines. It only saves work and cleans up: without it a rerun copies
 * what it cannot prove equal. It holds keys and versions, never keys to the storage nor content.
 */
export class Journal {
  /** What a killed run left behind. */
  readonly leftovers: readonly Leftover[];
  readonly #done: Map<string, { readonly source: string; readonly there: string }>;
  readonly #file: FileHandle;
  readonly #lock: DirectoryLock;
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  private constructor(state: State, file: FileHandle, lock: DirectoryLock) {
    this.#done = state.done;
    this.leftovers = state.leftovers;
    this.#file = file;
    this.#lock = lock;
  }

  /**
   * Opens or creates the state file and keeps others out until `close`.
   * @throws TransferError `state` when it is another transfer's or cannot be written; HostError when one is under way
   */
  static async open(path: string, source: string, destination: string): Promise<Journal> {
    let lock: DirectoryLock | undefined;
    try {
      await makeDirectoryDurably(dirname(path));
      lock = await takeLock(`${path}.lock`);
      const state = await load(path, source, destination);
      // Written anew: a last line that was cut off must not run into the next one, and what is settled is one line each.
      const lines = [
        JSON.stringify({ transfer: 1, source, destination }),
        ...state.leftovers.map((leftover) => begunLine(leftover)),
        ...[...state.done].map(([key, versions]) => JSON.stringify({ done: key, ...versions })),
      ];
      await writeFileDurably(path, `${lines.join('\n')}\n`);
      return new Journal(state, await open(path, 'a', 0o600), lock);
    } catch (error) {
      await lock?.release();
      const code = systemErrorCode(error);
      if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
      throw new TransferError('state', `the state file ${path} cannot be used (${code})`, {
        subject: path,
        advice: 'name one that can be written: --state FILE',
        cause: error,
      });
    }
  }

  settled(source: ListedObject, there: ListedObject): boolean {
    const found = this.#done.get(source.key);
    return found !== undefined && found.source === source.version && found.there === there.version;
  }

  /** Resolves when a killed process would have left the line behind. */
  async begun(leftover: Leftover): Promise<void> {
    await this.#append(begunLine(leftover));
  }

  done(key: string, source: string, there: string): void {
    this.#done.set(key, { source, there });
    void this.#append(JSON.stringify({ done: key, source, there }));
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
    await this.#lock.release();
    if (this.#failure !== undefined) {
      throw new TransferError('state', 'the state file could not be written to its end', {
        advice: 'what was copied is complete; a rerun may copy some of it again',
        cause: this.#failure,
      });
    }
  }

  #append(text: string): Promise<unknown> {
    this.#writing = this.#writing
      .then(() => this.#file.appendFile(`${text}\n`))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    return this.#writing;
  }
}

interface State {
  readonly done: Map<string, { readonly source: string; readonly there: string }>;
  readonly leftovers: readonly Leftover[];
}

async function load(path: string, source: string, destination: string): Promise<State> {
  const done = new Map<string, { readonly source: string; readonly there: string }>();
  const begun = new Map<string, Leftover>();
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const [first = '', ...rest] = text.split('\n');
  if (text === '') return { done, leftovers: [] };
  const head = heading.safeParse(parseJson(first));
  if (!head.success || head.data.source !== source || head.data.destination !== destination) {
    const of = head.success ? `of ${head.data.source} to ${head.data.destination}` : 'none of a transfer';
    throw new TransferError('state', `the state file ${path} is ${of}`, {
      subject: path,
      advice: 'name another one, or remove it: at worst objects are copied again',
    });
  }
  for (const each of rest) {
    const parsed = line.safeParse(parseJson(each));
    // The last line of a killed run may be cut off.
    if (!parsed.success) continue;
    if ('done' in parsed.data) {
      const { done: key, source: from, there } = parsed.data;
      done.set(key, { source: from, there });
      begun.delete(key);
    } else {
      const { begun: key, ...what } = parsed.data;
      begun.set(key, leftoverOf(key, what));
    }
  }
  return { done, leftovers: [...begun.values()] };
}

type Begun = { readonly at: number } | { readonly uploadId: string } | { readonly path: string };

function leftoverOf(key: string, what: Begun): Leftover {
  if ('path' in what) return { kind: 'file', key, path: what.path };
  return 'at' in what ? { kind: 'intent', key, at: what.at } : { kind: 'upload', key, uploadId: what.uploadId };
}

function begunLine({ kind: _, key, ...what }: Leftover): string {
  return JSON.stringify({ begun: key, ...what });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A name that only this pair of places has. */
export function stateFileName(source: string, destination: string): string {
  return `${createHash('sha256')
    .update(JSON.stringify([source, destination]))
    .digest('hex')
    .slice(0, 24)}.jsonl`;
}
