import { parentPort } from 'node:worker_threads';
import { type DigestName, DigestSet } from '../../checksum/index.ts';

/**
 * Digests of large bodies, off the thread that serves requests. Bytes arrive in shared memory; the block may be reused
 * as soon as its number comes back.
 */
export type DigestRequest =
  | { readonly type: 'memory'; readonly memory: SharedArrayBuffer; readonly blockSize: number }
  | { readonly type: 'begin'; readonly job: number; readonly names: readonly DigestName[] }
  | { readonly type: 'update'; readonly job: number; readonly block: number; readonly length: number }
  | { readonly type: 'end'; readonly job: number }
  | { readonly type: 'cancel'; readonly job: number };

export type DigestReply =
  | { readonly type: 'updated'; readonly block: number }
  | {
      readonly type: 'digests';
      readonly job: number;
      readonly digests: readonly (readonly [DigestName, Uint8Array])[];
    };

const port = parentPort;
if (port === null) throw new Error('digest-worker runs as a worker thread only');

const jobs = new Map<number, DigestSet>();
let memory: SharedArrayBuffer | undefined;
let blockSize = 0;

port.on('message', (request: DigestRequest) => {
  switch (request.type) {
    case 'memory':
      memory = request.memory;
      blockSize = request.blockSize;
      return;
    case 'begin':
      jobs.set(request.job, new DigestSet(request.names));
      return;
    case 'update': {
      if (memory === undefined) throw new Error('update before memory');
      jobs.get(request.job)?.update(Buffer.from(memory, request.block * blockSize, request.length));
      port.postMessage({ type: 'updated', block: request.block } satisfies DigestReply);
      return;
    }
    case 'end': {
      const digests = jobs.get(request.job)?.digest() ?? new Map<DigestName, Buffer>();
      jobs.delete(request.job);
      port.postMessage({ type: 'digests', job: request.job, digests: [...digests] } satisfies DigestReply);
      return;
    }
    case 'cancel':
      jobs.delete(request.job);
  }
});
