import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backUp, openSource, Repository, restore } from '../../src/backup/index.ts';
import { Secret } from '../../src/core/secret.ts';
import { bucketSize, clientOf } from './storage.ts';
import { type Bench, contentDigest, helper } from './tools.ts';

export interface Increments {
  readonly count: number;
  readonly bytes: number;
  /** Of restoring the last of them. */
  readonly layers: number;
  readonly requests: number;
  readonly seconds: number;
  /** Of restoring a whole snapshot of the same state. */
  readonly whole: { readonly requests: number; readonly seconds: number };
}

const SIZE = 256 * 1024 ** 2;
const BUCKET = 'bench-increments';

/** Many increments of one chain, and the restore of a point in time beside that of a whole snapshot of the same state. */
export async function manyIncrements(
  { server, directory }: Omit<Bench, 'environment'>,
  count: number,
  say: (text: string) => void,
): Promise<Increments> {
  const environment = join(directory, 'chain');
  execFileSync(helper, ['fill', environment, '4096', '7', String(SIZE)]);
  const client = clientOf(server);
  await client.createBucket(BUCKET);
  const place = { client, bucket: BUCKET, prefix: '', conditionalPut: true };
  const repository = await Repository.init(place, { kind: 'passphrase', secret: new Secret('bench passphrase') });
  const options = { kind: 'mdbx', method: 'reader', scratch: directory, mdbxCopy: undefined } as const;
  const source = openSource({ ...options, path: environment, clock: { now: Date.now } });
  const take = async (name: string, full = false) => {
    const members = [{ store: repository.source(name), source, path: environment }];
    const [snapshot] = await backUp({ members, name: undefined, hooks: { limit: 10_000 }, full });
    if (snapshot === undefined) throw new Error('no snapshot');
    return snapshot;
  };
  await take('chain');
  say(`${count} increments`);
  let last = await take('chain');
  for (let made = 0; made < count; made++) {
    execFileSync(helper, ['touch', environment, String(made), '5', '1']);
    last = await take('chain');
    if (made % 1000 === 999) say(`${made + 1} of ${count}`);
  }
  const bytes = await bucketSize(client, BUCKET);
  const whole = await take('whole', true);
  const times = { chain: [] as number[], whole: [] as number[] };
  let [chainRequests, wholeRequests] = [0, 0];
  for (let round = 0; round < 3; round++) {
    for (const [name, snapshot] of [
      ['chain', last],
      ['whole', whole],
    ] as const) {
      const target = join(directory, `restored-${name}-${round}`);
      const restored = await restore({ store: repository.source(name), snapshot, target, force: false });
      times[name].push(restored.milliseconds / 1000);
      if (name === 'chain') chainRequests = restored.requests;
      else wholeRequests = restored.requests;
      if (round === 0 && (await contentDigest(target)) !== (await contentDigest(environment))) {
        throw new Error(`what was restored of ${name} differs from the environment`);
      }
      await sleep(200);
    }
  }
  client.close();
  const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  return {
    count,
    bytes,
    layers: last.content.kind === 'mdbx' ? last.content.layers.length : 0,
    requests: chainRequests,
    seconds: median(times.chain),
    whole: { requests: wholeRequests, seconds: median(times.whole) },
  };
}
