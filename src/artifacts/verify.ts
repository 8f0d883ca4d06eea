import type { Finding } from '../core/finding.ts';
import { readContent } from './content.ts';
import { ArtifactError } from './errors.ts';
import { listChannels, listVersions } from './list.ts';
import type { Artifact } from './model.ts';
import { type Digest, formatReference } from './names.ts';
import { isMissing, type Place } from './place.ts';
import { history, resolve, type StoredEntry } from './read.ts';

export interface VerifyOptions {
  /** Reads every content; otherwise only sizes are compared. */
  readonly content: boolean;
}

/** Looks at all versions and channels of a name; changes nothing. */
export async function* verifyName(place: Place, name: string, options: VerifyOptions): AsyncGenerator<Finding> {
  const needed = new Map<Digest, string>();
  for await (const channel of listChannels(place, name)) yield* verifyChannel(place, name, channel, needed);
  for await (const { version } of listVersions(place, name)) {
    const subject = formatReference({ by: 'version', name, version });
    yield await finding('version', subject, async () => {
      const { artifact } = await resolve(place, { by: 'version', name, version });
      if (artifact.version !== version) throw wrong(subject, `its manifest is that of ${artifact.version}`);
      const found = await contentState(place, artifact, options);
      const channel = needed.get(artifact.digest);
      if (found === 'gone' && channel !== undefined)
        throw wrong(subject, `${channel} needs its content, which is gone`);
      return found === 'gone' ? 'content removed; the version stays taken' : `${artifact.content.digest}, ${found}`;
    });
  }
}

async function* verifyChannel(
  place: Place,
  name: string,
  channel: string,
  needed: Map<Digest, string>,
): AsyncGenerator<Finding> {
  const subject = formatReference({ by: 'channel', name, channel });
  yield await finding('channel', subject, async () => {
    let later: StoredEntry | undefined;
    let count = 0;
    for await (const entry of history(place, name, channel)) {
      if (later === undefined) needed.set(entry.digest, subject);
      else if (entry.number !== later.number - 1) throw wrong(subject, `entry ${later.number - 1} is missing`);
      else if (entry.entryDigest !== later.previous) throw wrong(subject, `entry ${entry.number} was changed`);
      later = entry;
      count += 1;
    }
    if (later !== undefined && later.number !== 1) throw wrong(subject, `entry ${later.number - 1} is missing`);
    const { artifact } = await resolve(place, { by: 'channel', name, channel });
    if ((await contentState(place, artifact, { content: false })) === 'gone') {
      throw wrong(subject, `the content of ${artifact.version} is gone`);
    }
    return `at ${artifact.version}, ${count} entries`;
  });
}

async function contentState(place: Place, artifact: Artifact, { content }: VerifyOptions): Promise<string> {
  const key = place.layout.blob(artifact.content.digest);
  try {
    const { size } = await place.client.head({ bucket: place.bucket, key });
    if (size !== artifact.content.size) throw wrong(key, `${size} bytes instead of ${artifact.content.size}`);
  } catch (error) {
    if (isMissing(error)) return 'gone';
    throw error;
  }
  if (!content) return 'size right, bytes not read';
  for await (const _ of readContent(place, artifact)) {
    // Reading to the end is the check.
  }
  return 'all bytes right';
}

async function finding(id: string, subject: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { id, status: 'ok', subject, found: await check() };
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error;
    const { message, advice } = error;
    return { id, status: 'fail', subject, found: message, advice };
  }
}

function wrong(subject: string, message: string): ArtifactError {
  return new ArtifactError('content-damaged', message, {
    subject,
    advice: 'push the same content again under the same version, or restore it, and look who writes below this prefix',
  });
}
