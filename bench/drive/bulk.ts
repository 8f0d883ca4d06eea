/** The driver process for large bodies: `bulk.js JOB`. A process of its own, so that nothing else runs in its thread. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../measure/percentile.ts';
import { partBytes, partCount } from '../plan.ts';
import { bodyOf, checkBody } from './bodies.ts';
import { type BulkJob, type BulkRun, bulkJob } from './bulk-job.ts';
import { payloadDigest, type Signer, signer, unsignedPayload } from './sign.ts';
import { type Answer, Connection, type Sink } from './socket.ts';

const job: BulkJob = bulkJob.parse(JSON.parse(process.argv[2] ?? '{}'));
/** A server that answers nothing but errors is given up on after so many in a row. */
const hopeless = 20;

const sends = job.action === 'put' || job.action === 'fill' || job.action === 'multipart';
const body = sends ? bodyOf(job.action === 'multipart' ? partBytes : job.bytes) : undefined;
const plain = signer(new Date(), unsignedPayload);
const ofBody = job.signedPayload && body !== undefined ? signer(new Date(), payloadDigest(body)) : plain;

function head(method: string, target: string, length: number | undefined, by: Signer): string {
  const lines = [`${method} ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize(method, target)}`];
  if (length !== undefined) lines.push(`Content-Length: ${length}`);
  // fauxqs answers 500 to an empty body without a type.
  if (length === 0 && method === 'PUT') lines.push('Content-Type: application/octet-stream');
  return `${lines.join('\r\n')}\r\n`;
}

class Refused extends Error {}

async function send(
  connection: Connection,
  method: string,
  target: string,
  content?: Buffer,
  sink?: Sink,
): Promise<Answer> {
  const length = content?.length ?? (method === 'POST' ? 0 : undefined);
  const by = content !== undefined && content === body ? ofBody : plain;
  const answer = await connection.request(head(method, target, length, by), content, sink);
  if (answer.status > 299) throw new Refused(`${method} ${answer.status} ${answer.text.slice(0, 200)}`);
  return answer;
}

async function multipart(connection: Connection, target: string): Promise<void> {
  const { text } = await send(connection, 'POST', `${target}?uploads`);
  const id = /<UploadId>([^<]*)</.exec(text)?.[1];
  if (id === undefined) throw new Refused(`no UploadId in ${text.slice(0, 200)}`);
  const uploadId = encodeURIComponent(id);
  const parts: string[] = [];
  for (let number = 1; number <= partCount; number += 1) {
    const { etag } = await send(connection, 'PUT', `${target}?partNumber=${number}&uploadId=${uploadId}`, body);
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  }
  const list = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
  const done = await send(connection, 'POST', `${target}?uploadId=${uploadId}`, list);
  // Completion may answer 200 and say in the body that it failed.
  if (done.text.includes('<Error>')) throw new Refused(done.text.slice(0, 200));
}

/** The first answer of every connection is compared byte by byte, the rest by length: checking costs the driver time. */
async function get(connection: Connection, target: string, first: boolean): Promise<void> {
  const check = first ? checkBody(job.bytes) : undefined;
  const { length } = await send(connection, 'GET', target, undefined, check?.sink ?? (() => {}));
  if (length !== job.bytes || check?.isWhole() === false) throw new Refused(`GET ${target}: wrong bytes`);
}

const latencies: number[] = [];
let next = 0;
let errors = 0;
let inARow = 0;
let firstError: string | undefined;
const cpuBefore = process.cpuUsage();
const start = performance.now();
let last = start;
const once = job.action === 'fill' || job.action === 'remove';
const goesOn = (): boolean =>
  inARow < hopeless && (once ? next < job.keys : performance.now() - start < job.seconds * 1000);

async function client(): Promise<void> {
  const connection = new Connection(job.port);
  for (let turn = 0; goesOn(); turn += 1) {
    const index = next;
    next += 1;
    const target = `/${job.bucket}/${job.prefix}-${job.action === 'get' ? index % job.keys : index}`;
    const began = performance.now();
    try {
      if (job.action === 'get') await get(connection, target, turn === 0);
      else if (job.action === 'multipart') await multipart(connection, target);
      else await send(connection, job.action === 'remove' ? 'DELETE' : 'PUT', target, body);
      last = performance.now();
      latencies.push(last - began);
      inARow = 0;
    } catch (error) {
      errors += 1;
      inARow += 1;
      firstError ??= error instanceof Error ? error.message : String(error);
      connection.close();
      await delay(10);
    }
  }
  connection.close();
}

await Promise.all(Array.from({ length: job.clients }, client));
const cpu = process.cpuUsage(cpuBefore);
const run: BulkRun = {
  done: latencies.length,
  keys: next,
  seconds: (last - start) / 1000,
  p50Ms: latencies.length === 0 ? null : percentile(latencies, 0.5),
  p99Ms: latencies.length === 0 ? null : percentile(latencies, 0.99),
  errors,
  driverBusy: (cpu.user + cpu.system) / 1000 / Math.max(1, performance.now() - start),
  ...(firstError === undefined ? {} : { firstError }),
};
process.stdout.write(JSON.stringify(run));
