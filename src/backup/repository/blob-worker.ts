import { parentPort, workerData } from 'node:worker_threads';
import { systemErrorCode } from '../../core/errors.ts';
import { BackupError, type BackupErrorCode } from '../errors.ts';
import { type BlobLot, LotWriter } from './blob-lot.ts';

export interface BlobRequest {
  readonly number: number;
  readonly lot: BlobLot;
}

export interface BlobReply {
  readonly number: number;
  readonly failure?: Failure;
}

/** An error as it travels between threads: its class does not. */
export interface Failure {
  readonly message: string;
  /** Of a BackupError; `system` that of the operating system. */
  readonly code?: BackupErrorCode;
  readonly system?: string | undefined;
  readonly subject?: string | undefined;
  readonly advice?: string | undefined;
}

function failureOf(error: unknown): Failure {
  if (error instanceof BackupError) {
    const { code, message, subject, advice } = error;
    return { message, code, subject, advice };
  }
  return { message: error instanceof Error ? error.message : String(error), system: systemErrorCode(error) };
}

const port = parentPort;
if (port === null || !(workerData instanceof Uint8Array)) throw new Error('blob-worker runs as a worker thread only');
const writer = new LotWriter(Buffer.from(workerData));
const answer = (reply: BlobReply) => port.postMessage(reply);

port.on('message', ({ number, lot }: BlobRequest) => {
  writer.write(lot).then(
    () => answer({ number }),
    (error: unknown) => answer({ number, failure: failureOf(error) }),
  );
});
