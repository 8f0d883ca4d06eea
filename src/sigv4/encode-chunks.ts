import { SignatureChain, type Trailers } from './chunk-signature.ts';
import { sha256Hex } from './keys.ts';
import type { VerifiedSignature } from './model.ts';

export interface EncodeOptions {
  /** From `signRequest`, for the signed modes; undefined leaves chunks unsigned. */
  readonly seed: VerifiedSignature | undefined;
  /** Bytes of payload in each chunk but the last. S3 wants at least 8 KiB. Default 64 KiB. */
  readonly chunkSize?: number | undefined;
  /** Called once all payload has gone by; undefined for the mode without trailers. */
  readonly trailers?: (() => Trailers) | undefined;
}

const DEFAULT_CHUNK = 65_536;

/** Puts the aws-chunked framing around a payload, chunk by chunk. */
export async function* encodeChunks(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: EncodeOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { seed, chunkSize = DEFAULT_CHUNK } = options;
  const chain = seed === undefined ? undefined : new SignatureChain(seed);
  const header = (data: Uint8Array) => {
    const signature = chain === undefined ? '' : `;chunk-signature=${chain.chunk(sha256Hex(data))}`;
    return Buffer.from(`${data.length.toString(16)}${signature}\r\n`);
  };
  const crlf = Buffer.from('\r\n');
  for await (const data of regroup(source, chunkSize)) yield Buffer.concat([header(data), data, crlf]);
  yield header(new Uint8Array());
  if (options.trailers !== undefined) {
    const trailers = options.trailers();
    let lines = '';
    for (const [name, value] of trailers) lines += `${name}:${value}\r\n`;
    if (chain !== undefined) lines += `x-amz-trailer-signature:${chain.trailer(trailers)}\r\n`;
    yield Buffer.from(lines);
  }
  yield crlf;
}

/**
 * The Content-Length of what `encodeChunks` makes.
 * @param trailerLengths the length of each trailer's value by name.
 */
export function encodedLength(
  decodedLength: number,
  signed: boolean,
  trailerLengths: ReadonlyMap<string, number> | undefined,
  chunkSize: number = DEFAULT_CHUNK,
): number {
  const overhead = (size: number) => size.toString(16).length + (signed ? ';chunk-signature='.length + 64 : 0) + 2;
  const full = Math.floor(decodedLength / chunkSize);
  const rest = decodedLength % chunkSize;
  let length =
    full * (overhead(chunkSize) + chunkSize + 2) + (rest > 0 ? overhead(rest) + rest + 2 : 0) + overhead(0) + 2;
  if (trailerLengths !== undefined) {
    for (const [name, value] of trailerLengths) length += name.length + 1 + value + 2;
    if (signed) length += 'x-amz-trailer-signature:'.length + 64 + 2;
  }
  return length;
}

async function* regroup(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    let rest = bytes;
    while (length + rest.length >= size) {
      const taken = size - length;
      yield Buffer.concat([...held, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      held = [];
      length = 0;
    }
    if (rest.length > 0) {
      held.push(rest);
      length += rest.length;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}
