import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { type DigestName, DigestSet, LANES, Md5Lanes, Md5Message } from '../../checksum/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { writeAllSync } from '../../fs/write-all.ts';
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
  /** All digests but the MD5 of `lanes`. */
  readonly digests: DigestSet;
  /** Undefined: `digests` makes the MD5 as well. */
  readonly md5: Md5Message | undefined;
  readonly sums: BlockSums;
  position: number;
}

interface Lot {
  readonly number: number;
  readonly job: Job;
  readonly buffers: readonly Uint8Array[];
}

/** Lots that are worked on at once. More would keep the first of them waiting for their answers. */
const MOST_AT_ONCE = 8;

/** Milliseconds that lots wait for those of other bodies, while there are enough bodies to fill the lanes. */
const COMPANY_MS = 1;

const jobs = new Map<number, Job>();
let lanes: Md5Lanes | undefined;
let lots: Lot[] = [];
let waiting: NodeJS.Timeout | undefined;

port.on('message', (first: BodyRequest) => {
  for (let request: BodyRequest | undefined = first; request !== undefined; request = nextRequest()) {
    const job = jobs.get(request.job);
    if (request.type === 'lot' && job !== undefined) {
      lots.push({ number: request.job, job, buffers: request.buffers });
      if (lots.length === MOST_AT_ONCE) flush();
    } else {
      if (lots.some(({ number }) => number === request.job)) flush();
      const reply = answer(request);
      if (reply !== undefined) port.postMessage(reply);
    }
  }
  if (lots.length > 0 && worthWaiting()) waiting ??= setTimeout(flush, COMPANY_MS);
  else flush();
});

/** Four bodies cost hardly more than one, so it pays when others are about to send. */
function worthWaiting(): boolean {
  let laned = 0;
  for (const { md5 } of jobs.values()) if (md5 !== undefined) laned += 1;
  const here = new Set(lots.map(({ job }) => job.md5));
  return laned >= LANES && here.size < LANES && !here.has(undefined);
}

function flush(): void {
  clearTimeout(waiting);
  waiting = undefined;
  const taken = lots;
  lots = [];
  if (taken.length > 0) takeAll(taken);
}

/** What has arrived meanwhile. */
function nextRequest(): BodyRequest | undefined {
  const received: { readonly message: BodyRequest } | undefined =
    port === null ? undefined : receiveMessageOnPort(port);
  return received?.message;
}

function answer(request: BodyRequest): BodyReply | undefined {
  const { job: number } = request;
  const job = jobs.get(number);
  switch (request.type) {
    case 'begin':
      jobs.set(number, begin(request.fd, request.names));
      return undefined;
    case 'lot':
      return { type: 'taken', job: number };
    case 'end':
      jobs.delete(number);
      return {
        type: 'digests',
        job: number,
        digests: job === undefined ? [] : digestsOf(job),
        sums: job?.sums.finish() ?? new Uint8Array(),
      };
    case 'cancel':
      jobs.delete(number);
      return { type: 'cancelled', job: number };
  }
}

/** A body that comes alone is digested faster by OpenSSL; it stays with what it began with. */
function begin(fd: number, names: readonly DigestName[]): Job {
  const laned = jobs.size > 0 && names.includes('MD5');
  return {
    fd,
    digests: new DigestSet(laned ? names.filter((name) => name !== 'MD5') : names),
    md5: laned ? new Md5Message() : undefined,
    sums: new BlockSums(),
    position: 0,
  };
}

function digestsOf({ digests, md5 }: Job): readonly (readonly [DigestName, Uint8Array])[] {
  const others = [...digests.digest()];
  return md5 === undefined ? others : [...others, ['MD5', theLanes().digest(md5)]];
}

function theLanes(): Md5Lanes {
  lanes ??= new Md5Lanes();
  return lanes;
}

function takeAll(lots: readonly Lot[]): void {
  const replies = lots.map((lot) => write(lot));
  const written = lots.filter((_, at) => replies[at]?.type === 'taken');
  for (const { job, buffers } of written) {
    for (const buffer of buffers) {
      job.digests.update(buffer);
      job.sums.update(buffer);
    }
  }
  const pieces = written.flatMap(({ job: { md5: message }, buffers }) =>
    message === undefined ? [] : buffers.map((bytes) => ({ message, bytes })),
  );
  if (pieces.length > 0) theLanes().update(pieces);
  for (const reply of replies) port?.postMessage(reply);
}

function write({ number, job, buffers }: Lot): BodyReply {
  try {
    writeAllSync(job.fd, buffers, job.position);
    job.position += buffers.reduce((sum, { length }) => sum + length, 0);
    return { type: 'taken', job: number };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'failed', job: number, message, code: systemErrorCode(error) };
  }
}
