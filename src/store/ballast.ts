import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MiB } from '../core/sizes.ts';
import { diskSpace } from '../fs/free-space.ts';

const SIZE = 4 * MiB;

/**
 * Room that is given up when the disk is full to the last byte. A delete frees space, but has to write some pages of the
 * index first; without this, a disk that another program has filled could not be emptied through the server.
 */
export class Ballast {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'ballast');
  }

  /** Takes the room (again), where there is plenty. */
  async hold(): Promise<void> {
    if (diskSpace(this.#directory).free < 4 * SIZE) return;
    const there = await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    );
    if (there !== SIZE) await this.#write();
  }

  /**
   * Several processes share the room; whichever needs it first gives it up.
   * @returns whether there was room to give up
   */
  release(): Promise<boolean> {
    return rm(this.#path).then(
      () => true,
      () => false,
    );
  }

  /** Real bytes: a sparse file would hold no room. */
  async #write(): Promise<void> {
    const handle = await open(this.#path, 'w', 0o600);
    try {
      await handle.writeFile(Buffer.alloc(SIZE, 0x42));
      await handle.sync();
    } catch (error) {
      await rm(this.#path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }
}
