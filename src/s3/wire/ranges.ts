/** Bytes `start` to `end` (exclusive), or nothing of the object at all. */
export type ByteRange = { readonly start: number; readonly end: number } | 'unsatisfiable';

/**
 * RFC 9110 section 14.1.2 with one range. Undefined for no range, a malformed one and several at once: S3 then sends the
 * whole object.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    const length = Number(last);
    if (length === 0 || size === 0) return 'unsatisfiable';
    return { start: Math.max(0, size - length), end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) };
}

/**
 * `x-amz-copy-source-range`: exactly `bytes=first-last`. Undefined when it is not that; `end` is exclusive and not yet
 * compared with the source's size.
 */
export function parseCopyRange(header: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  return end > start ? { start, end } : undefined;
}

/** The Content-Range of a 206. */
export function contentRange(start: number, end: number, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}
