import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, type Eventually } from '../core/eventually.ts';
import { KiB, MiB } from '../core/sizes.ts';
import type { S3Error } from './errors.ts';
import { countUntaken } from './memory.ts';
import type { Reply, ReplyBody } from './operation.ts';
import { bareXmlDocument, element } from './wire/xml-out.ts';

const XML_TYPE = ['Content-Type', 'application/xml'] as const;

/** A reply with a document. */
export function xmlReply(document: string, headers: readonly string[] = []): Reply {
  return { status: 200, headers: headers.length === 0 ? XML_TYPE : [...XML_TYPE, ...headers], body: document };
}

/** The error document of the API reference, "REST error responses". */
export function errorReply(error: S3Error, method: string, resource: string, requestId: string, hostId: string): Reply {
  const { status } = error;
  if (method === 'HEAD' || status === 304) return { status, headers: error.headers };
  let content = element('Code', error.code) + element('Message', error.message);
  for (const [name, value] of Object.entries(error.elements)) content += element(name, value);
  content += element('Resource', resource) + element('RequestId', requestId) + element('HostId', hostId);
  return { status, headers: [...XML_TYPE, ...error.headers], body: bareXmlDocument('Error', content) };
}

/**
 * Writes a reply, answering the number of body bytes. A promise of it resolves when all was handed to the connection; a client that goes
 * away in between is no error.
 */
export function writeReply(res: ServerResponse, reply: Reply, ids: readonly string[]): Eventually<number> {
  const { body, status } = reply;
  const headers = reply.headers === undefined ? [...ids] : [...ids, ...reply.headers];
  if (body === undefined) {
    // RFC 9110 section 8.6: no Content-Length on 204, none is needed on 304.
    if (status !== 204 && status !== 304) headers.push('Content-Length', '0');
    res.writeHead(status, headers);
    res.end();
    return 0;
  }
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    headers.push('Content-Length', bytes.length.toString());
    res.writeHead(status, headers);
    return endWith(res, bytes);
  }
  if ('length' in body) {
    headers.push('Content-Length', body.length.toString());
    res.writeHead(status, headers);
    res.end();
    return 0;
  }
  headers.push('Content-Length', (body.end - body.start).toString());
  const { object, start, end } = body;
  if (object.inline === undefined) return streamObject(res, status, headers, body);
  res.writeHead(status, headers);
  const whole = start === 0 && end === object.inline.length;
  const sent = endWith(res, whole ? object.inline : object.inline.subarray(start, end));
  return after(object.close(), () => sent);
}

/**
 * Below this many bytes head and body leave in one piece as a Latin-1 string: one copy is cheaper than a gathered write.
 * `res.end(body)` would make two pieces of it, since it ends with an empty one: measured in docs/performance.md.
 */
const ONE_PIECE = 16 * KiB;

function endWith(res: ServerResponse, bytes: Buffer): number {
  if (bytes.length <= ONE_PIECE && bytes.length > 0) {
    res.write(bytes.toString('latin1'), 'latin1');
    // node:http holds the write back until the end of the turn; `end` would then add an empty one to it.
    res.socket?.uncork();
    res.end();
  } else {
    if (bytes.length > 0) res.once('close', countUntaken(bytes.length));
    res.end(bytes);
  }
  return bytes.length;
}

type ObjectBody = Extract<ReplyBody, { readonly object: unknown }>;

/** The head goes out with the first bytes: a body whose beginning is damaged still is answered with an error. */
async function streamObject(
  res: ServerResponse,
  status: number,
  headers: string[],
  { object, start, end }: ObjectBody,
): Promise<number> {
  let sent = 0;
  try {
    await object.send(start, end, async (chunk) => {
      if (!res.headersSent) res.writeHead(status, headers);
      await written(res, chunk);
      sent += chunk.length;
    });
    if (!res.headersSent) res.writeHead(status, headers);
    res.end();
    return sent;
  } catch (error) {
    if (error instanceof ClientGone) return sent;
    // Once the head is out, a cut connection is the only way to say that the body is not whole.
    if (res.headersSent) res.destroy();
    throw error;
  } finally {
    await object.close();
  }
}

/** The client closed the connection before it had everything; nobody's failure. */
class ClientGone extends Error {}

/** Resolves when the connection has taken the chunk. @throws ClientGone */
function written(res: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (res.destroyed) {
      reject(new ClientGone());
      return;
    }
    const gone = () => reject(new ClientGone());
    res.once('close', gone);
    res.write(chunk, (error) => {
      res.off('close', gone);
      if (error === null || error === undefined) resolve();
      else gone();
    });
  });
}

/** How long, in milliseconds, and how much, in bytes, an answered client may go on sending before it is cut off. */
const LINGER_MS = 2000;
const LINGER_BYTES = 32 * MiB;

/**
 * Must the connection close after the answer, because more of the request's body is on the way than is worth reading? A
 * smaller rest node:http drains by itself, which keeps the connection in step.
 */
export function mustClose(req: IncomingMessage, drainBytes: number): boolean {
  if (req.complete) return false;
  if (req.headers.expect !== undefined) return true;
  const length = req.headers['content-length'];
  return length === undefined ? req.headers['transfer-encoding'] !== undefined : Number(length) > drainBytes;
}

/**
 * Writes a last answer while the client is still sending. The connection is kept for a moment and read on, since
 * closing it with unread bytes would reset it under the answer.
 */
export function writeLastReply(
  req: IncomingMessage,
  res: ServerResponse,
  reply: Reply,
  ids: readonly string[],
): number {
  const bytes =
    typeof reply.body === 'string' || Buffer.isBuffer(reply.body) ? Buffer.from(reply.body) : Buffer.alloc(0);
  const headers = [...ids, ...(reply.headers ?? []), 'Connection', 'close', 'Content-Length', bytes.length.toString()];
  res.writeHead(reply.status, headers);
  res.write(bytes);
  let drained = 0;
  const timer = setTimeout(() => res.end(), LINGER_MS);
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  req.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > LINGER_BYTES) end();
  });
  req.once('end', end);
  req.once('close', end);
  req.resume();
  return bytes.length;
}
