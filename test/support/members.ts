import { readFileSync } from 'node:fs';

/** The processes that a server of several has started. */
export function membersOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return children
    .split(' ')
    .filter((text) => text.trim() !== '')
    .map(Number);
}
