import { writeSync, writevSync } from 'node:fs';

/**
 * Writes buffers one after the other at a position, all of them, on this thread.
 * @throws the system's error
 */
export function writeAllSync(fd: number, buffers: readonly Uint8Array[], position: number): void {
  let [rest, at] = [buffers, position];
  while (rest.length > 0) {
    const [only, ...others] = rest;
    const written =
      only !== undefined && others.length === 0 ? writeSync(fd, only, 0, only.length, at) : writevSync(fd, rest, at);
    at += written;
    rest = after(rest, written);
  }
}

/** What a short write has left over. */
function after(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  return buffers.flatMap((buffer) => {
    const rest = buffer.subarray(Math.min(skip, buffer.length));
    skip -= buffer.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}
