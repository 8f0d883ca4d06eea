/**
 * One transfer in a process of its own, so that its memory is its own: plain as the client does it, or through the artifact
 * store. Usage: `job.js ACTION FILE`, with S3_… in the environment. Prints a line of JSON.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { artifacts, measure, openSource } from '../../src/artifacts/index.ts';
import { cut } from '../../src/artifacts/upload.ts';
import { crc32 } from '../../src/checksum/index.ts';
import { createClient, type ObjectClient, type UploadedPart } from '../../src/client/index.ts';
import { MiB } from '../../src/core/sizes.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import { parseSettings } from '../../src/settings/index.ts';
import type { Action, JobResult } from './jobs.ts';

const BUCKET = 'bench-artifacts';
const PIECE = 8 * MiB;
const AT_ONCE = 4;
const [, , action = '', file = ''] = process.argv;

const settings = parseSettings({ environment: process.env, flags: new Map() });
if (settings.storage.kind !== 's3') throw new Error('no S3');
const connection = resolveConnection(settings.storage);
const client = createClient(connection);
const store = artifacts({ client, bucket: BUCKET, prefix: '', provider: connection.provider });
const plain = { bucket: BUCKET, key: 'plain' };

/** What every client does for large objects: parts of 8 MiB, four at once. */
async function plainPut(): Promise<undefined> {
  await client.upload({ ...plain, body: createReadStream(file, { highWaterMark: 256 * 1024 }), partSize: PIECE });
}

/** The same parts as `push` sends them, without a digest of the whole: what remains if digests cost nothing. */
async function unsignedPut(): Promise<undefined> {
  const uploadId = await client.createUpload(plain);
  const parts: UploadedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let number = 0;
  for await (const bytes of cut(createReadStream(file, { highWaterMark: 256 * 1024 }), PIECE)) {
    number += 1;
    const at = number;
    const sending = client
      .uploadPart({ ...plain, uploadId, number: at, bytes, crc32: crc32(bytes, 0) })
      .then((part) => {
        parts[at - 1] = part;
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  await client.completeUpload({ ...plain, uploadId, parts });
}

/** Ranges of 8 MiB, four at once, each written where it belongs, and synced; nothing is checked. */
async function plainGet(): Promise<undefined> {
  const { size } = await client.head(plain);
  const handle = await open(`${file}.plain`, 'w');
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let start = next; start < size; start = next) {
      next = start + PIECE;
      const { body } = await client.get({ ...plain, range: { start, end: Math.min(size, start + PIECE) - 1 } });
      let at = start;
      for await (const chunk of body) {
        const bytes = Buffer.from(chunk);
        await handle.write(bytes, 0, bytes.length, at);
        at += bytes.length;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await handle.sync();
  await handle.close();
}

/** One GET, streamed into a file and synced. */
async function plainStream(): Promise<undefined> {
  const { body } = await client.get(plain);
  const handle = await open(`${file}.stream`, 'w');
  for await (const chunk of body) await handle.writeFile(chunk);
  await handle.sync();
  await handle.close();
}

/** The content is taken away first: it must be sent. */
async function push(): Promise<number> {
  const { uploaded } = await store.push({ name: 'bench', version: `${Date.now()}`, path: file });
  return uploaded;
}

async function forget(): Promise<undefined> {
  const { digest } = await measure(await openSource(file));
  await client.delete({ bucket: BUCKET, key: `blobs/sha256/${digest.slice('sha256:'.length)}` });
}

async function pull(): Promise<undefined> {
  for await (const { version } of store.versions('bench')) {
    const { artifact } = await store.resolve(`bench:${version}`);
    await store.pull({ artifact, target: `${file}.pulled` });
    return;
  }
  throw new Error('nothing was pushed');
}

const actions: Readonly<Record<Action, () => Promise<number | undefined>>> = {
  'plain-put': plainPut,
  'unsigned-put': unsignedPut,
  'plain-get': plainGet,
  'plain-stream': plainStream,
  push,
  'push-again': push,
  forget,
  pull,
};
const isAction = (text: string): text is Action => Object.hasOwn(actions, text);
if (!isAction(action)) throw new Error(`no action ${action}`);
// Connections and code are warm, as they are in a process that does more than this.
await warm(client);
const [began, cpu] = [performance.now(), process.cpuUsage()];
const uploaded = await actions[action]();
const milliseconds = performance.now() - began;
const { user, system } = process.cpuUsage(cpu);
client.close();
const result: JobResult = {
  milliseconds,
  cpuMilliseconds: (user + system) / 1000,
  peakRssMiB: process.resourceUsage().maxRSS / 1024,
  uploaded: typeof uploaded === 'number' ? uploaded : undefined,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

async function warm(on: ObjectClient): Promise<void> {
  const small = { bucket: BUCKET, key: 'small' };
  await on.put({ ...small, body: { bytes: Buffer.alloc(1024) } });
  const { body } = await on.get(small);
  for await (const _ of body) {
    // Read to its end, so that the connection is kept.
  }
}
