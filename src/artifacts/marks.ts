import { z } from 'zod';
import { MINUTE } from '../core/durations.ts';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import { type Digest, formatReference } from './names.ts';
import { type Place, parseDocument, readBytes } from './place.ts';

/**
 * gc removes content in two steps: a run marks what nothing needs, and a run after `removeAfter` removes what is still
 * marked. Between them lies the grace period, at least an hour. Whoever wants to use marked content either takes the mark
 * away early enough, or waits until the content is gone and brings it again; so nobody relies on bytes that a gc is about
 * to remove. It holds as long as clocks differ by less than `LEAD`, and no request to the provider takes longer.
 */
export const LEAD = 10 * MINUTE;

export const markSchema = z.object({
  schemaVersion: z.literal(1),
  marked: z.iso.datetime(),
  removeAfter: z.iso.datetime(),
});
export type Mark = z.output<typeof markSchema>;

export async function readMark(place: Place, digest: Digest): Promise<Mark | undefined> {
  const key = place.layout.mark(digest);
  const bytes = await readBytes(place, key);
  return bytes === undefined ? undefined : parseDocument(markSchema, bytes, key);
}

/**
 * Takes gc's mark from content that is needed again.
 * @throws ArtifactError `condemned` when gc may be removing it now
 */
export async function spare(place: Place, digest: Digest): Promise<void> {
  const mark = await readMark(place, digest);
  if (mark === undefined) return;
  if (place.clock.now() >= Date.parse(mark.removeAfter) - LEAD) {
    throw new ArtifactError('condemned', `the content ${digest} is being removed by gc`, {
      subject: digest,
      advice: 'let bucketwright artifact gc --apply finish, then push again: the content is then sent anew',
    });
  }
  await place.client.delete({ bucket: place.bucket, key: place.layout.mark(digest) });
}

/** @throws ArtifactError `condemned` */
export async function requireUnmarked(place: Place, { name, version, content }: Artifact): Promise<void> {
  if ((await readMark(place, content.digest)) === undefined) return;
  const reference = formatReference({ by: 'version', name, version });
  throw new ArtifactError('condemned', `the content of ${reference} is marked for removal by gc`, {
    subject: reference,
    advice: `take the mark away first: bucketwright artifact gc --spare ${reference}`,
  });
}
