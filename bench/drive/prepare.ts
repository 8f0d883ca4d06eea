import { join } from 'node:path';
import { MiB } from '../../src/core/sizes.ts';
import { type Cell, listedObjects, smallBytes } from '../plan.ts';
import { type Server, ServerUnavailable } from '../servers/server.ts';
import { ask, bucket, listBucket, listedKey } from './check.ts';
import { runBulk } from './run-bulk.ts';
import { signer, unsignedPayload } from './sign.ts';
import { runWrk, writeRequests } from './wrk.ts';

/** What HEAD and the large GETs read: as many objects as the most clients there are, within reason. */
export const readSets = [
  { cell: 'head', prefix: 'empty', bytes: 0, keys: 1_000 },
  { cell: 'get1m', prefix: 'read-1m', bytes: MiB, keys: 64 },
  { cell: 'get64m', prefix: 'read-64m', bytes: 64 * MiB, keys: 8 },
] as const;

/**
 * Makes the buckets and writes what GET, HEAD and LIST will read.
 * @throws {ServerUnavailable} when the server refuses; measuring it would measure its errors
 */
export async function prepare(server: Server, cells: readonly Cell[], scratch: string): Promise<void> {
  const storesNothing = server.id === 'null';
  if (!storesNothing && server.id !== 'file') {
    for (const name of [bucket, listBucket]) {
      const { status, text } = await ask(server, 'PUT', `/${name}`);
      if (status > 299) throw new ServerUnavailable(`${server.id}: creating a bucket answered ${status} ${text}`);
    }
  }
  if (storesNothing) return;
  if (cells.some(({ id }) => id === 'get1k' || id === 'list1000')) {
    const list = join(scratch, 'fill.txt');
    // wrk ends before its last answers: the first keys, written once more, are what may be lost then.
    const order = [...Array(listedObjects).keys(), ...Array(64).keys()];
    const targets = order.map((index) => `/${listBucket}/${listedKey(index)}`);
    const request = { method: 'PUT', targets, bodyBytes: smallBytes, once: true };
    writeRequests(list, request, signer(new Date(), unsignedPayload));
    const { errors } = await runWrk(server.port, list, 16, 120);
    if (errors > 0)
      throw new ServerUnavailable(`${server.id}: ${errors} errors while filling ${listedObjects} objects`);
  }
  for (const { cell, prefix, bytes, keys } of readSets) {
    if (!cells.some(({ id }) => id === cell)) continue;
    const job = { port: server.port, bucket, action: 'fill', prefix, keys, bytes, clients: 4 } as const;
    // A server that cannot take such a body fails its cell later, in the table.
    await runBulk({ ...job, seconds: 0, signedPayload: false });
  }
}
