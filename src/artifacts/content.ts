import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../client/index.ts';
import { systemErrorCode } from '../core/errors.ts';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import type { Place } from './place.ts';
import { damaged } from './read.ts';

const ATTEMPTS = 5;

/**
 * An artifact's content, checked: the last bytes come only when length and digest are right, and a reader that got to the
 * end without an error has read what was pushed. A broken connection is taken up again where it broke.
 * @throws ArtifactError `content-missing`, `content-damaged`
 */
export async function* readContent(
  place: Place,
  { content }: Pick<Artifact, 'content'>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const { client, bucket, layout } = place;
  const key = layout.blob(content.digest);
  const hash = createHash('sha256');
  let read = 0;
  let held: Buffer | undefined;
  for (let attempt = 1; content.size > 0 && read < content.size; attempt += 1) {
    try {
      const { body } = await client.get({ bucket, key, range: { start: read, end: content.size }, signal });
      for await (const chunk of body) {
        const bytes: Buffer = Buffer.from(chunk);
        if (bytes.length === 0) continue;
        read += bytes.length;
        attempt = 1;
        if (read > content.size) break;
        hash.update(bytes);
        if (held !== undefined) yield held;
        held = bytes;
      }
      if (read < content.size) throw damaged(key, `it ends after ${read} of ${content.size} bytes`);
    } catch (error) {
      if (error instanceof ClientError && (error.code === 'no-such-key' || error.code === 'no-such-bucket')) {
        throw new ArtifactError('content-missing', `the content ${content.digest} is not there`, {
          subject: key,
          advice: 'push the same content again under the same version: that puts it back',
          cause: error,
        });
      }
      // An object that is too short refuses the rest as a range.
      if (error instanceof ClientError && error.code === 'range') {
        throw damaged(key, `it ends after ${read} of ${content.size} bytes`);
      }
      if (attempt >= ATTEMPTS || signal?.aborted === true || !mayPass(error)) throw error;
      await sleep(200 * 2 ** attempt, undefined, { signal });
    }
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (read !== content.size) throw damaged(key, `it is longer than ${content.size} bytes`);
  if (found !== content.digest) throw damaged(key, `its digest is ${found}`);
  if (held !== undefined) yield held;
}

/** Whether the next attempt may find the connection better. */
function mayPass(error: unknown): boolean {
  if (error instanceof ArtifactError) return false;
  if (error instanceof ClientError) return ['unreachable', 'throttled', 'server'].includes(error.code);
  return systemErrorCode(error) !== undefined;
}
