import { type ChunkOptions, ChunkParser } from './chunk-parser.ts';
import type { Trailers } from './chunk-signature.ts';

/** Decodes one body: call it once. */
export interface ChunkDecoder {
  (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined>;
  /** By lower-case name; complete, and covered by the checked signature, once the payload has ended. */
  readonly trailers: Trailers;
}

/**
 * Takes the aws-chunked framing off a body, checking every chunk's signature, the trailers and the length. The bytes of
 * a chunk come out as they arrive, before its signature: only the normal end of the iteration says that all were good.
 * Iterating throws SigV4Error; it never buffers a chunk.
 */
export function decodeChunks(options: ChunkOptions): ChunkDecoder {
  const parser = new ChunkParser(options);
  async function* decode(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const bytes of source) yield* parser.push(bytes);
    parser.end();
  }
  return Object.assign(decode, { trailers: parser.trailers });
}

/** The names in an `x-amz-trailer` header, in lower case. */
export function parseTrailerNames(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}
