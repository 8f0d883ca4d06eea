import { writevSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type DigestName, DigestSet } from '../../checksum/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { BlockSums } from './block-sums.ts';

/**
 * Writes and digests large bodies, off the thread that serves requests. Lots arrive with their memory (transferred, not
 * copied), in order for each body.
 */
export type BodyRequest =
  | { readonly type: 'begin'; readonly job: number; readonly fd: number; readonly names: readonly DigestName[] }
  | { readonly type: 'lot'; readonly job: number; readonly buffers: readonly Uint8Array[] }
  | { readonly type: 'end'; readonly job: number }
  | { readonly type: 'cancel'; readonly job: number };

export type BodyReply =
  | { readonly type: 'taken'; readonly job: number }
  | { readonly type: 'failed'; readonly job: number; readonly message: string; readonly code: string | undefined }
  | {
      readonly type: 'digests';
      readonly job: number;
      readonly digests: readonly (readonly [DigestName, Uint8Array])[];
      /** As the index keeps them (block-sums.ts). */
      readonly sums: Uint8Array;
    }
  | { readonly type: 'cancelled'; readonly job: number };

const port = parentPort;
if (port === null) throw new Error('body-worker runs as a worker thread only');

interface Job {
  readonly fd: number;
  readonly digests: DigestSet;
  readonly sums: BlockSums;
  position: number;
}

const jobs = new Map<number, Job>();

port.on('message', (request: BodyRequest) => port.postMessage(answer(request)));

function answer(request: BodyRequest): BodyReply | undefined {
  const { job: number } = request;
  const job = jobs.get(number);
  switch (request.type) {
    case 'begin':
      jobs.set(number, { fd: request.fd, digests: new DigestSet(request.names), sums: new BlockSums(), position: 0 });
      return undefined;
    case 'lot':
      return job === undefined ? { type: 'taken', job: number } : take(number, job, request.buffers);
    case 'end':
      jobs.delete(number);
      return {
        type: 'digests',
        job: number,
        digests: [...(job?.digests.digest() ?? [])],
        sums: job?.sums.finish() ?? new Uint8Array(),
      };
    case 'cancel':
      jobs.delete(number);
      return { type: 'cancelled', job: number };
  }
}

function take(number: number, job: Job, buffers: readonly Uint8Array[]): BodyReply {
  try {
    let rest = buffers;
    while (rest.length > 0) {
      const written = writevSync(job.fd, rest, job.position);
      job.position += written;
      rest = after(rest, written);
    }
    for (const buffer of buffers) {
      job.digests.update(buffer);
      job.sums.update(buffer);
    }
    return { type: 'taken', job: number };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'failed', job: number, message, code: systemErrorCode(error) };
  }
}

/** What a short write has left over. */
function after(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  return buffers.flatMap((buffer) => {
    const rest = buffer.subarray(Math.min(skip, buffer.length));
    skip -= buffer.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
