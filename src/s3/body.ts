import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { digestOf } from '../checksum/index.ts';
import { KiB } from '../core/sizes.ts';
import type { BodyInput } from '../store/port.ts';
import { type ChecksumHeaders, type DigestPlan, planDigests } from './digests.ts';
import { S3Error } from './errors.ts';
import { countCollected } from './memory.ts';
import type { Payload } from './payload.ts';
import { RequestChunks } from './request-chunks.ts';
import { parseXml, type XmlElement } from './wire/xml-in.ts';

export interface Limits {
  /** The largest body of one request, in bytes. S3: 5 GiB. */
  readonly objectBytes: number;
  /** Bodies up to this many bytes are collected before they go to the store; larger ones stream. */
  readonly wholeBodyBytes: number;
  /** What is read and thrown away after a refusal, in bytes, to keep the connection; with more it is closed. */
  readonly drainBytes: number;
}

/** An accepted request whose body has not been read. */
export interface Incoming {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: IncomingHttpHeaders;
  readonly payload: Payload;
  readonly limits: Limits;
}

/** How an operation wants its body, decided before a byte is read. */
export interface BodyReader<D> {
  readonly kind: 'none' | 'xml' | 'stream';
  read(incoming: Incoming): D | Promise<D>;
}

export const noBody: BodyReader<undefined> = { kind: 'none', read: () => undefined };

/** A body for the store: where it comes from and what must hold of it. */
export interface StreamBody extends DigestPlan {
  readonly body: BodyInput;
}

/** An object's or part's bytes. Up to `wholeBodyBytes` they are one Buffer. */
export const streamBody: BodyReader<StreamBody> = {
  kind: 'stream',
  async read(incoming) {
    const length = streamLength(incoming);
    if (length !== undefined && length > incoming.limits.objectBytes) throw tooLarge(length, incoming.limits);
    const plan = planDigests(incoming.headers, incoming.payload, incoming.limits.objectBytes);
    begin(incoming);
    if (length === undefined) {
      return { ...plan, body: { chunks: atMost(chunksOf(incoming), incoming.limits), length } };
    }
    if (length <= incoming.limits.wholeBodyBytes) {
      return { ...plan, body: { bytes: await collect(incoming, length) } };
    }
    return { ...plan, body: { chunks: chunksOf(incoming), length } };
  },
};

/**
 * The bytes of a body whose parts the operation tells apart by itself.
 * @throws S3Error `MissingContentLength`, `EntityTooLarge`
 */
export function rawBody(incoming: Incoming): AsyncIterable<Buffer> {
  const length = bodyLength(incoming);
  if (length === undefined) throw new S3Error('MissingContentLength');
  const max = incoming.limits.objectBytes + 64 * KiB;
  if (length > max) throw tooLarge(length, incoming.limits);
  begin(incoming);
  return chunksOf(incoming);
}

export interface XmlBodyOptions {
  readonly maxBytes: number;
  /** False: an empty body is given to `parse` as undefined. */
  readonly required: boolean;
  /** Whether `x-amz-checksum-*` is about this body (`body`, `required`) or about something else (`ignored`). */
  readonly checksums: ChecksumHeaders;
}

/** A small XML document, parsed after its digests were compared. */
export function xmlBody<D>(options: XmlBodyOptions, parse: (root: XmlElement | undefined) => D): BodyReader<D> {
  return smallBody(options, (bytes) => {
    if (bytes.length > 0) return parse(parseXml(bytes));
    if (options.required) throw new S3Error('MalformedXML');
    return parse(undefined);
  });
}

/** A small document of any kind, parsed after its digests were compared. `required` is the parser's to see to. */
export function smallBody<D>(options: XmlBodyOptions, parse: (bytes: Buffer) => D): BodyReader<D> {
  return {
    kind: 'xml',
    async read(incoming) {
      // Without a length there is no body (RFC 9112 section 6.3).
      const length = bodyLength(incoming) ?? 0;
      if (length > options.maxBytes) throw new S3Error('MaxMessageLengthExceeded');
      const plan = planDigests(incoming.headers, incoming.payload, options.maxBytes, options.checksums);
      begin(incoming);
      const bytes = await collect(incoming, length);
      plan.accept(new Map(plan.digests.map((name) => [name, digestOf(name, bytes)])), bytes.length);
      return parse(bytes);
    },
  };
}

/**
 * The same for a body that may be an object's: one of unknown length, which RFC 9112 allows, is counted as it comes. AWS
 * does not take those, but other S3s do, and clients that pipe into a PUT need it.
 * @throws S3Error `MissingContentLength`
 */
function streamLength(incoming: Incoming): number | undefined {
  const { headers, payload } = incoming;
  const counted = payload.chunked === undefined && headers['content-length'] === undefined;
  if (counted && headers['transfer-encoding'] !== undefined) return undefined;
  const length = bodyLength(incoming);
  if (length === undefined) throw new S3Error('MissingContentLength');
  return length;
}

async function* atMost(chunks: AsyncIterable<Buffer>, limits: Limits): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limits.objectBytes) throw tooLarge(size, limits);
    yield chunk;
  }
}

/**
 * Bytes of the body proper; undefined when the client did not say.
 * @throws S3Error `MissingContentLength` for a chunked transfer that is not aws-chunked, as in S3
 */
function bodyLength({ headers, payload }: Incoming): number | undefined {
  if (payload.chunked !== undefined) return payload.chunked.decodedLength;
  const length = headers['content-length'];
  if (length !== undefined) return Number(length);
  if (headers['transfer-encoding'] !== undefined) throw new S3Error('MissingContentLength');
  return undefined;
}

function tooLarge(length: number, limits: Limits): S3Error {
  const elements = { ProposedSize: length.toString(), MaxSizeAllowed: limits.objectBytes.toString() };
  return new S3Error('EntityTooLarge', undefined, { elements });
}

/** The client of an `Expect: 100-continue` waits for this before it sends the body. */
function begin({ req, res }: Incoming): void {
  if (req.headers.expect?.toLowerCase() === '100-continue' && !res.headersSent) res.writeContinue();
}

/** The decoded body in order. Leaving early keeps the connection, so that an error can still be answered. */
function chunksOf({ req, payload }: Incoming): AsyncIterable<Buffer> {
  const chunks = new RequestChunks(req);
  return payload.chunked === undefined ? chunks : payload.chunked.decode(chunks);
}

/** Smaller bodies are not counted: all that may be under way together are not much. */
const COUNTED = 8 * KiB;

function collect(incoming: Incoming, length: number): Promise<Buffer> {
  const collecting = collectAll(incoming, length);
  return length > COUNTED ? countCollected(length, collecting) : collecting;
}

async function collectAll(incoming: Incoming, length: number): Promise<Buffer> {
  if (incoming.payload.chunked === undefined) return length === 0 ? NOTHING : collectPlain(incoming.req, length);
  const chunks: Buffer[] = [];
  // The decoder holds the body to its declared length.
  for await (const chunk of chunksOf(incoming)) chunks.push(chunk);
  return Buffer.concat(chunks, length);
}

const NOTHING = Buffer.alloc(0);

/** The hot path of small writes: events instead of an iterator, no copy when the body came in one piece. */
function collectPlain(req: IncomingMessage, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cut = (cause?: unknown) => reject(new S3Error('IncompleteBody', undefined, { cause }));
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size === length && chunks.length === 0) resolve(chunk);
      else {
        chunks.push(chunk);
        if (size === length) resolve(Buffer.concat(chunks, size));
      }
    });
    req.on('error', cut);
    req.on('end', () => {
      if (size < length) cut();
    });
  });
}
