import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract as tarExtract } from 'tar-stream';
import { owned } from './borrowed.ts';
import { readContent } from './content.ts';
import { type Artifact, mediaTypes } from './model.ts';
import { asBytes } from './pack.ts';
import type { Place } from './place.ts';

export interface Difference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed' | 'mode';
}

interface PackedFile {
  readonly digest: string;
  readonly mode: number;
}

/**
 * What differs between the contents of two artifacts, by path; both are read whole (and checked) unless their digests say
 * that they are equal. A file that is an artifact by itself is one path: its title.
 * @throws ArtifactError `content-missing`, `content-damaged`
 */
export async function diffContents(place: Place, before: Artifact, after: Artifact): Promise<readonly Difference[]> {
  if (before.content.digest === after.content.digest && before.content.mediaType === after.content.mediaType) return [];
  const [old, now] = [await filesOf(place, before), await filesOf(place, after)];
  const differences: Difference[] = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [a, b] = [old.get(path), now.get(path)];
    if (a === undefined) differences.push({ path, change: 'added' });
    else if (b === undefined) differences.push({ path, change: 'removed' });
    else if (a.digest !== b.digest) differences.push({ path, change: 'changed' });
    else if (a.mode !== b.mode) differences.push({ path, change: 'mode' });
  }
  return differences.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function filesOf(place: Place, artifact: Artifact): Promise<ReadonlyMap<string, PackedFile>> {
  const { content } = artifact;
  if (content.mediaType !== mediaTypes.tar) return new Map([[content.title, { digest: content.digest, mode: 0 }]]);
  const files = new Map<string, PackedFile>();
  const archive = tarExtract();
  const reading = pipeline(Readable.from(owned(readContent(place, artifact))), archive);
  reading.catch(() => {});
  for await (const entry of archive) {
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(asBytes(chunk));
    files.set(entry.header.name, { digest: hash.digest('hex'), mode: entry.header.mode ?? 0 });
  }
  await reading;
  return files;
}
