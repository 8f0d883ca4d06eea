import { KiB } from '../src/core/sizes.ts';
import { openLocalStore } from '../src/store/index.ts';

/** Every so many objects one is too large for the index and gets a file. */
const FILE_EVERY = 50;
const IN_FLIGHT = 256;

/**
 * Fills a data directory with `count` objects through the store itself, durably: 1 KiB each, every fiftieth 40 KiB.
 * @param progress told the number of objects now and then
 */
export async function fill(
  directory: string,
  bucket: string,
  count: number,
  progress: (done: number) => void,
): Promise<void> {
  const store = await openLocalStore({ directory });
  try {
    await store.createBucket({ name: bucket, owner: 'root', region: 'us-east-1' });
    const small = Buffer.alloc(KiB, 's');
    const large = Buffer.alloc(40 * KiB, 'l');
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const number = next;
        next += 1;
        await store.putObject({
          bucket,
          key: `object/${String(number).padStart(8, '0')}`,
          // A copy: a thread takes the memory of a body that goes to a file.
          body: { bytes: number % FILE_EVERY === 0 ? Buffer.from(large) : small },
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
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    const [usage] = await store.usage();
    if (usage?.objects !== count) throw new Error(`${usage?.objects} objects were stored, not ${count}`);
  } finally {
    await store.close();
  }
}
