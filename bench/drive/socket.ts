/**
 * One keep-alive HTTP/1.1 connection without node:http's client, which costs more than many a server here: request heads
 * are ready-made strings, bodies ready-made buffers, and answers are read into one buffer that is used again.
 */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly etag: string;
  /** Bytes of the body. */
  readonly length: number;
  /** The body, when it came chunked or no sink was given (then up to 64 KiB of it). */
  readonly text: string;
}

/** Sees the body as it arrives; the buffer is used again after the call returns. */
export type Sink = (bytes: Buffer) => void;
/** A body: one buffer, or a source that writes block by block. */
export type Body = Buffer | AsyncIterable<Buffer>;

const readBytes = 512 * 1024;
const textBytes = 64 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(head)?.[1];
}

/** Decodes a complete small chunked body; undefined while its last chunk is missing. */
function unchunk(raw: string): string | undefined {
  let text = '';
  for (let at = 0; ; ) {
    const end = raw.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(raw.slice(at, end), 16);
    if (size === 0) return raw.includes('\r\n\r\n', end) ? text : undefined;
    text += raw.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
    if (at > raw.length) return undefined;
  }
}

interface Pending {
  readonly sink: Sink | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  head: string | undefined;
  partialHead: Buffer;
  expected: number;
  chunked: boolean;
  length: number;
  text: string;
}

export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #pending: Pending | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed) return Promise.resolve(this.#socket);
    return new Promise((resolve, reject) => {
      const socket = connect({
        port: this.#port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafeSlow(readBytes),
          callback: (count, buffer) => {
            this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, count));
            return true;
          },
        },
      });
      socket.once('connect', () => resolve(socket));
      // One that an answer has closed may still have an end to tell when the next is being opened.
      const ended = (error: Error) => {
        reject(error);
        if (this.#socket === socket) this.#fail(error);
      };
      socket.on('error', ended);
      socket.on('close', () => ended(new Error('the server closed the connection')));
      this.#socket = socket;
    });
  }

  #fail(error: Error): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
    pending?.reject(error);
  }

  #finish(pending: Pending, head: string): void {
    this.#pending = undefined;
    const closes = /\r\nconnection: *close/i.test(head);
    // An answer before the whole body was sent leaves the connection out of step.
    if (closes || (this.#socket?.writableLength ?? 0) > 0) this.close();
    pending.resolve({
      status: Number(head.slice(9, 12)),
      etag: headerOf(head, 'etag') ?? '',
      length: pending.length,
      text: pending.text,
    });
  }

  #take(bytes: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    let body = bytes;
    if (pending.head === undefined) {
      const all = pending.partialHead.length === 0 ? bytes : Buffer.concat([pending.partialHead, bytes]);
      const end = all.indexOf(headEnd);
      if (end < 0) {
        pending.partialHead = Buffer.from(all);
        return;
      }
      pending.head = all.toString('latin1', 0, end);
      body = all.subarray(end + headEnd.length);
      pending.chunked = /\r\ntransfer-encoding: *chunked/i.test(pending.head);
      pending.expected = Number(headerOf(pending.head, 'content-length') ?? 0);
    }
    if (pending.chunked) {
      pending.text += body.toString('utf8');
      const text = unchunk(pending.text);
      if (text === undefined) return;
      pending.text = text;
      pending.length = text.length;
      this.#finish(pending, pending.head);
      return;
    }
    pending.length += body.length;
    if (pending.sink !== undefined) pending.sink(body);
    else if (pending.text.length < textBytes) pending.text += body.toString('utf8');
    if (pending.length >= pending.expected) this.#finish(pending, pending.head);
  }

  /**
   * Sends a request and waits for its whole answer.
   * @param head request line and header lines, each ended by CRLF, without the empty line
   * @throws {Error} when the connection breaks; the next request opens a new one
   */
  async request(head: string, body?: Body, sink?: Sink): Promise<Answer> {
    const socket = await this.#open();
    const answer = new Promise<Answer>((resolve, reject) => {
      const partialHead = Buffer.alloc(0);
      const start = { head: undefined, partialHead, expected: 0, chunked: false, length: 0, text: '' };
      this.#pending = { sink, resolve, reject, ...start };
    });
    socket.cork();
    socket.write(`${head}\r\n`, 'latin1');
    if (Buffer.isBuffer(body)) socket.write(body);
    socket.uncork();
    if (body !== undefined && !Buffer.isBuffer(body)) {
      for await (const block of body) {
        // The block may be used again only when the kernel has it.
        if (socket.destroyed) break;
        await new Promise<void>((resolve) => {
          socket.write(block, () => resolve());
        });
      }
    }
    return answer;
  }
}
