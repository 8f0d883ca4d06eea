import { ClientError } from '../client/index.ts';
import { systemErrorCode } from '../core/errors.ts';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import type { Place } from './place.ts';
import { type RangedRead, readRanges } from './ranges.ts';
import { contentMissing, damaged } from './read.ts';

/**
 * An artifact's content, checked, in borrowed pieces (`readRanges`).
 * @throws ArtifactError `content-missing`, `content-damaged`
 */
export function readContent(
  place: Place,
  artifact: Pick<Artifact, 'content'>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  return readRanges(contentRanges(place, artifact, signal));
}

/** How an artifact's content is read: its `open` throws ArtifactError `content-missing`, `content-damaged`. */
export function contentRanges(
  place: Place,
  { content }: Pick<Artifact, 'content'>,
  signal: AbortSignal | undefined,
): RangedRead {
  const { client, bucket, layout } = place;
  const key = layout.blob(content.digest);
  return {
    content,
    subject: key,
    mayPass,
    signal,
    open: async (start, end, stopped) => {
      try {
        return (await client.get({ bucket, key, range: { start, end }, signal: stopped })).body;
      } catch (error) {
        if (error instanceof ClientError && (error.code === 'no-such-key' || error.code === 'no-such-bucket')) {
          throw contentMissing(place, content.digest, error);
        }
        // An object that is too short refuses the rest as a range.
        if (error instanceof ClientError && error.code === 'range') {
          throw damaged(key, `it has no byte ${start}, and should have ${content.size}`);
        }
        throw error;
      }
    },
  };
}

/** Whether the next attempt may find the connection better. */
function mayPass(error: unknown): boolean {
  if (error instanceof ArtifactError) return false;
  if (error instanceof ClientError) return ['unreachable', 'throttled', 'server'].includes(error.code);
  return systemErrorCode(error) !== undefined;
}
