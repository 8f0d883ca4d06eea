/** The body as its signature describes it. */
export interface Payload {
  /** Lower-case hex of the body's SHA-256, when the client signed one. */
  readonly sha256: string | undefined;
  /** Undefined unless the body is `aws-chunked`. */
  readonly chunked: ChunkedPayload | undefined;
}

export interface ChunkedPayload {
  /** Bytes after decoding, as declared. */
  readonly decodedLength: number;
  decode(source: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** A trailing header's value; only after the last byte. */
  trailer(name: string): string | undefined;
}
