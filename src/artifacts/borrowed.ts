/** Pieces for a reader that keeps what it was given, such as a stream: of those whose memory is used again. */
export async function* owned(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}
