import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The processes of this user on this machine that talk to one endpoint. */
export interface Neighbours {
  /** How many there are, this one included. */
  count(): number;
  leave(): void;
}

/**
 * Each process leaves a file with its number in a directory for the endpoint; those whose process is gone are swept. Where
 * the directory cannot be had (a read-only system) the process counts as alone. Containers do not see each other.
 * @param authority `host:port` of the endpoint
 */
export function joinNeighbours(authority: string, root = join(tmpdir(), `bucketwright-${userId()}`)): Neighbours {
  const name = createHash('sha256').update(authority).digest('hex').slice(0, 16);
  const directory = join(root, name);
  const own = join(directory, String(process.pid));
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(own, '');
  } catch {
    return { count: () => 1, leave: () => undefined };
  }
  return {
    count() {
      try {
        const others = readdirSync(directory).filter((entry) => entry !== String(process.pid));
        const live = others.filter((entry) => {
          if (isRunning(Number(entry))) return true;
          rmSync(join(directory, entry), { force: true });
          return false;
        });
        return live.length + 1;
      } catch {
        return 1;
      }
    },
    leave: () => rmSync(own, { force: true }),
  };
}

const userId = (): number => process.getuid?.() ?? 0;

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
