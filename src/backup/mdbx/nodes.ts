import { HEADER_BYTES, readHeader } from './layout.ts';

/** An entry of a leaf page. */
export interface Node {
  readonly key: Buffer;
  /** One or two of `nodeFlag`; 0: the value lies on the page as it is. */
  readonly kind: number;
  /** Bytes of the value, also where it lies elsewhere. */
  readonly size: number;
  /** From where the value begins to the end of the page. */
  readonly rest: Buffer;
}

/** @param page that `readPage` has found whole */
export function* nodesOf(page: Buffer): Generator<Node> {
  const count = readHeader(page).lower >>> 1;
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + index * 2);
    const value = at + 8 + page.readUInt16LE(at + 6);
    yield {
      key: page.subarray(at + 8, value),
      kind: page[at + 4] ?? 0,
      size: page.readUInt32LE(at),
      rest: page.subarray(value),
    };
  }
}
