import { KiB } from '../src/core/sizes.ts';
import { openLocalStore } from '../src/store/index.ts';

const IN_FLIGHT = 256;

export interface Filling {
  /** Objects are numbered; these are written: `from` to `to`, exclusive. Default `from`: 0, which makes the bucket too. */
  readonly from?: number;
  readonly to: number;
  /** Bytes of a body. Default 1 KiB. */
  readonly bytes?: number;
  /** Every so many objects one is too large for the index (40 KiB) and gets a file. Default 50; 0: none. */
  readonly fileEvery?: number;
  /** Whether each commit waits for the disk. Default true. */
  readonly durable?: boolean;
  /** Told the number of objects now and then. */
  progress(done: number): void;
}

export const filledKey = (number: number): string => `object/${String(number).padStart(8, '0')}`;

/** Fills a data directory through the store itself. @throws {Error} when the store does not count as many objects */
export async function fill(directory: string, bucket: string, filling: Filling): Promise<void> {
  const { from = 0, to, bytes = KiB, fileEvery = 50, durable = true, progress } = filling;
  const store = await openLocalStore({ directory, durable });
  try {
    if (from === 0) await store.createBucket({ name: bucket, owner: 'root', region: 'us-east-1' });
    const before = (await store.usage())[0]?.objects ?? 0;
    const small = Buffer.alloc(bytes, 's');
    const large = Buffer.alloc(40 * KiB, 'l');
    let next = from;
    const worker = async (): Promise<void> => {
      while (next < to) {
        const number = next;
        next += 1;
        const isLarge = fileEvery > 0 && number % fileEvery === 0;
        await store.putObject({
          bucket,
          key: filledKey(number),
          // A copy: a thread takes the memory of a body that goes to a file.
          body: { bytes: isLarge ? Buffer.from(large) : small },
          digests: [],
          accept: () => undefined,
          headers: {},
          metadata: {},
          tags: [],
          storageClass: 'STANDARD',
        });
        if (number > 0 && number % 100_000 === 0) progress(number);
      }
    };
    await Promise.all(Array.from({ length: durable ? IN_FLIGHT : 16 * IN_FLIGHT }, worker));
    const after = (await store.usage())[0]?.objects ?? 0;
    if (after !== before + to - from) throw new Error(`${after} objects are stored, not ${before + to - from}`);
  } finally {
    await store.close();
  }
}
