import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new directory of its own under the system's temporary one: `await using dir = await temporaryDirectory('x')`. */
export async function temporaryDirectory(purpose: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `bucketwright-${purpose}-`));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
