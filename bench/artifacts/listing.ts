import { artifacts } from '../../src/artifacts/index.ts';
import { createClient, createExchange } from '../../src/client/index.ts';
import type { Connection } from '../../src/providers/index.ts';

const NAME = 'listed';
const CONCURRENT = 32;

export interface ListingRuns {
  readonly versions: number;
  readonly requests: number;
  readonly bare: readonly number[];
  readonly listed: readonly number[];
}

/** Milliseconds for a name's versions, and for the LIST requests alone: signed, sent, and read to their end. */
export async function measureListing(
  connection: Connection,
  bucket: string,
  versions: number,
  rounds: number,
): Promise<ListingRuns> {
  const client = createClient(connection);
  const exchange = createExchange(connection, { timeoutMs: 60_000, sockets: 1 });
  const store = artifacts({ client, bucket, prefix: '', provider: connection.provider });
  const prefix = `names/${NAME}/versions/`;
  let made = 0;
  const fill = async (): Promise<void> => {
    for (let number = made++; number < versions; number = made++) {
      await client.put({ bucket, key: `${prefix}1.0.${number}`, body: { bytes: '{}' } });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, fill));

  async function bareLists(): Promise<number> {
    let requests = 0;
    for (let token: string | undefined = ''; token !== undefined; requests += 1) {
      const more: string = token === '' ? '' : `&continuation-token=${encodeURIComponent(token)}`;
      const query = `list-type=2&max-keys=1000&prefix=${encodeURIComponent(prefix)}${more}`;
      const { status, body } = await exchange.send({ method: 'GET', bucket, query });
      if (status !== 200) throw new Error(`LIST was answered ${status}`);
      token = /<NextContinuationToken>([^<]+)</.exec(body)?.[1];
    }
    return requests;
  }

  const runs = { bare: [] as number[], listed: [] as number[] };
  let requests = 0;
  try {
    // The first of each is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      const began = performance.now();
      requests = await bareLists();
      const between = performance.now();
      let count = 0;
      for await (const _ of store.versions(NAME)) count += 1;
      const ended = performance.now();
      if (count !== versions) throw new Error(`${count} of ${versions} versions were listed`);
      if (round === 0) continue;
      runs.bare.push(between - began);
      runs.listed.push(ended - between);
    }
  } finally {
    exchange.close();
    client.close();
  }
  return { versions, requests, ...runs };
}
