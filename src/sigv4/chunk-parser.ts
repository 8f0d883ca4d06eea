import { createHash, type Hash } from 'node:crypto';
import { SignatureChain, type Trailers } from './chunk-signature.ts';
import { type SigV4Code, SigV4Error, type SigV4Reason } from './errors.ts';
import { sameSignature } from './keys.ts';
import { EMPTY_SHA256, type VerifiedSignature } from './model.ts';

export interface ChunkOptions {
  /** Of a signed streaming mode: what `verifySignature` answered. Undefined where chunks are not signed. */
  readonly seed: VerifiedSignature | undefined;
  /** `x-amz-decoded-content-length`: bytes of payload, exactly. */
  readonly decodedLength: number;
  /** Whether the mode has a trailer section at all (`-TRAILER`). */
  readonly trailer: boolean;
  /** Names in `x-amz-trailer`: each must come, no other may. */
  readonly trailerNames: readonly string[];
}

type State = 'header' | 'data' | 'data-end' | 'trailer' | 'done';

const CR = 0x0d;
const LF = 0x0a;
const MAX_LINE = 16_384;
const CHUNK_HEADER = /^([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-fA-F]{64}))?$/;
const SIGNATURE = /^[0-9a-fA-F]{64}$/;

/**
 * The aws-chunked framing, pushed bytes and answering payload. It holds at most one unfinished line; a chunk's bytes go
 * out before its signature is known, so whoever stores them must throw them away when `push` or `end` throws.
 */
export class ChunkParser {
  readonly trailers = new Map<string, string>();
  readonly #options: ChunkOptions;
  readonly #chain: SignatureChain | undefined;
  #state: State = 'header';
  #line = '';
  #left = 0;
  #undelivered: number;
  #signature = '';
  #hash: Hash | undefined;
  #trailerSignature: string | undefined;
  #trailerBytes = 0;

  constructor(options: ChunkOptions) {
    this.#options = options;
    this.#chain = options.seed === undefined ? undefined : new SignatureChain(options.seed);
    this.#undelivered = options.decodedLength;
  }

  /** @throws SigV4Error as soon as the framing or a signature is wrong. */
  *push(bytes: Buffer): Generator<Buffer, void, undefined> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        at += piece.length;
        this.#left -= piece.length;
        this.#hash?.update(piece);
        if (this.#left === 0) this.#state = 'data-end';
        yield piece;
      } else if (this.#state === 'done') {
        // AWS's own writers end in one CRLF too many or too few.
        for (; at < bytes.length; at += 1) {
          if (bytes[at] !== CR && bytes[at] !== LF) throw framing('there are bytes after the last chunk');
        }
      } else {
        const newline = bytes.indexOf(LF, at);
        this.#line += bytes.toString('latin1', at, newline < 0 ? bytes.length : newline);
        if (this.#line.length > MAX_LINE) throw framing(`a line is longer than ${MAX_LINE} bytes`);
        if (newline < 0) return;
        at = newline + 1;
        const line = this.#line;
        this.#line = '';
        this.#readLine(line);
      }
    }
  }

  /** To be called once, after the last byte. @throws SigV4Error IncompleteBody when more should have come. */
  end(): void {
    if (this.#state === 'trailer' && this.#line === '') this.#finish();
    if (this.#state !== 'done') {
      throw fail('IncompleteBody', 'truncated', 'The request body terminated unexpectedly');
    }
  }

  #readLine(raw: string): void {
    if (this.#state === 'trailer') {
      this.#readTrailer(raw.endsWith('\r') ? raw.slice(0, -1) : raw);
      return;
    }
    if (!raw.endsWith('\r')) throw framing('a line does not end in CRLF');
    const line = raw.slice(0, -1);
    if (this.#state === 'data-end') {
      if (line !== '') throw framing('a chunk is longer than its header says');
      this.#checkChunk(this.#hash?.digest('hex') ?? EMPTY_SHA256);
      this.#state = 'header';
      return;
    }
    const match = CHUNK_HEADER.exec(line);
    if (match === null) throw framing('a chunk header is malformed');
    const size = Number.parseInt(match[1] ?? '', 16);
    if (this.#chain !== undefined && match[2] === undefined) {
      throw fail('SignatureDoesNotMatch', 'chunk-signature', 'A chunk of a signed body has no chunk-signature.');
    }
    this.#signature = match[2]?.toLowerCase() ?? '';
    if (size > this.#undelivered) throw wrongLength(this.#options.decodedLength);
    if (size > 0) {
      this.#undelivered -= size;
      this.#left = size;
      this.#hash = this.#chain === undefined ? undefined : createHash('sha256');
      this.#state = 'data';
      return;
    }
    if (this.#undelivered > 0) throw wrongLength(this.#options.decodedLength);
    this.#checkChunk(EMPTY_SHA256);
    this.#state = 'trailer';
  }

  #checkChunk(dataSha256: string): void {
    if (this.#chain === undefined || sameSignature(this.#chain.chunk(dataSha256), this.#signature)) return;
    throw fail('SignatureDoesNotMatch', 'chunk-signature', 'The signature of a chunk does not match its bytes.');
  }

  #readTrailer(line: string): void {
    if (line === '') {
      this.#finish();
      return;
    }
    if (!this.#options.trailer) throw framing('there are bytes after the last chunk');
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > MAX_LINE) throw malformedTrailer(`the trailers are longer than ${MAX_LINE} bytes`);
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') {
      if (this.#trailerSignature !== undefined || !SIGNATURE.test(value)) {
        throw malformedTrailer('x-amz-trailer-signature is malformed');
      }
      this.#trailerSignature = value.toLowerCase();
    } else {
      if (this.#trailerSignature !== undefined)
        throw malformedTrailer('x-amz-trailer-signature is not the last trailer');
      if (!this.#options.trailerNames.includes(name))
        throw malformedTrailer('x-amz-trailer does not announce a trailer');
      if (this.trailers.has(name)) throw malformedTrailer('a trailer is given twice');
      this.trailers.set(name, value);
    }
  }

  #finish(): void {
    const { trailer, trailerNames } = this.#options;
    if (trailer) {
      if (!trailerNames.every((name) => this.trailers.has(name))) {
        throw malformedTrailer('a trailer that x-amz-trailer announces is missing');
      }
      if (this.#chain !== undefined) checkTrailers(this.#chain, this.trailers, this.#trailerSignature);
    }
    this.#state = 'done';
  }
}

function checkTrailers(chain: SignatureChain, trailers: Trailers, signature: string | undefined): void {
  if (signature === undefined) throw malformedTrailer('x-amz-trailer-signature is missing');
  if (sameSignature(chain.trailer(trailers), signature)) return;
  throw fail('SignatureDoesNotMatch', 'chunk-signature', 'The signature of the trailers does not match them.');
}

function framing(why: string): SigV4Error {
  return fail('InvalidChunkSizeError', 'chunk-framing', `The aws-chunked body is malformed: ${why}.`);
}

function malformedTrailer(why: string): SigV4Error {
  return fail(
    'MalformedTrailerError',
    'trailer-malformed',
    `The request contained trailing data that was not well-formed: ${why}.`,
  );
}

function wrongLength(decodedLength: number): SigV4Error {
  return fail(
    'IncompleteBody',
    'length-mismatch',
    `The chunks do not add up to x-amz-decoded-content-length, ${decodedLength} bytes.`,
  );
}

function fail(code: SigV4Code, reason: SigV4Reason, message: string): SigV4Error {
  return new SigV4Error(code, reason, message);
}
