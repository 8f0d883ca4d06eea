import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bodyKey, bodyOfKey } from './reference.ts';

export interface BodyNumber {
  readonly segment: number;
  readonly sequence: number;
}

export function pinKey(body: BodyNumber): string {
  return `${body.segment}/${body.sequence}`;
}

const KEY_BYTES = 8;

/**
 * The bodies that readers of several processes still need. Only a read across many files needs this: it opens them one
 * after the other, and whoever drops the object meanwhile is another process. Each such read is one small file that names
 * its bodies. It must not survive its process, so nothing is synced.
 *
 * A reader writes its file and then looks the object up again; a deleter commits and then reads the files. So whichever
 * comes second sees the other.
 */
export class SharedPins {
  readonly #directory: string;
  #made = 0;

  constructor(directory: string) {
    this.#directory = join(directory, 'pins');
  }

  /** At the start of the first process: what is there was left by a crash. */
  async clear(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** The answer lets go. On a full disk the read goes on without: it fails then where a body is gone, never tears. */
  async hold(bodies: readonly BodyNumber[]): Promise<() => Promise<void>> {
    this.#made += 1;
    const path = join(this.#directory, `${process.pid}-${this.#made}`);
    const written = writeFile(path, Buffer.concat([...bodies.map(bodyKey), END]), { mode: 0o600 });
    await written.catch(() => undefined);
    return () => rm(path, { force: true });
  }

  /** What the other processes hold. */
  async others(): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(`${process.pid}-`)) continue;
      const bytes = await this.#read(join(this.#directory, name));
      for (let at = 0; at < bytes.length - KEY_BYTES; at += KEY_BYTES) {
        held.add(pinKey(bodyOfKey(bytes.subarray(at, at + KEY_BYTES))));
      }
    }
    return held;
  }

  /** A process has died. */
  async forget(pid: number): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(`${pid}-`)) await rm(join(this.#directory, name), { force: true });
    }
  }

  /** A file without its end is still being written: its reader will look the object up again, and wait for nobody. */
  async #read(path: string): Promise<Buffer> {
    const bytes = await readFile(path).catch(() => END);
    return bytes.subarray(bytes.length - KEY_BYTES).equals(END) ? bytes : END;
  }
}

/** No segment has this number. */
const END = Buffer.alloc(KEY_BYTES, 0xff);
