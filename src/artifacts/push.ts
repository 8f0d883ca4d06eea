import { spare } from './marks.ts';
import type { Artifact, Facts } from './model.ts';
import { checkName, checkVersion } from './names.ts';
import { openSource, type Source } from './pack.ts';
import type { Place } from './place.ts';
import { isThere, type Measured, measure, uploadContent } from './upload.ts';
import { makeVersion } from './version.ts';

export interface PushRequest extends Partial<Facts> {
  readonly name: string;
  readonly version: string;
  /** A file or directory. */
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: 'read' | 'upload', bytes: number, total: number | undefined) => void) | undefined;
}

export interface Pushed {
  readonly artifact: Artifact;
  /** False: the version was there already, with the same content and facts. */
  readonly created: boolean;
  /** Bytes of content that had to be sent; 0 where the store had it. */
  readonly uploaded: number;
}

/**
 * Makes a version: content first, then its manifest, then the version's object, which must not be there. Whatever
 * interrupts it, the version either is not there or is whole; a rerun finishes it.
 * @throws ArtifactError `version-exists`, `unpackable`, `content-changed`, `no-conditional-writes`, `condemned`
 */
export async function push(place: Place, request: PushRequest): Promise<Pushed> {
  const { signal, onProgress } = request;
  const name = checkName(request.name);
  const version = checkVersion(request.version);
  const source = await openSource(request.path);
  const content = await measure(source, { signal, onProgress: (bytes) => onProgress?.('read', bytes, undefined) });
  const uploaded = await provideContent(place, source, content, request);
  const { artifact, created } = await makeVersion(place, {
    kind: request.kind ?? 'bundle',
    labels: request.labels ?? {},
    revision: request.revision,
    creator: request.creator,
    name,
    version,
    created: new Date(place.clock.now()).toISOString(),
    content: { digest: content.digest, size: content.size, mediaType: source.mediaType, title: source.title },
  });
  // Somebody may have removed it by hand meanwhile.
  if (created && !(await isThere(place, content))) await uploadContent(place, source, content, { signal });
  return { artifact, created, uploaded };
}

async function provideContent(
  place: Place,
  source: Source,
  content: Measured,
  { signal, onProgress }: PushRequest,
): Promise<number> {
  await spare(place, content.digest);
  if (await isThere(place, content)) return 0;
  await uploadContent(place, source, content, {
    signal,
    onProgress: (bytes) => onProgress?.('upload', bytes, content.size),
  });
  return content.size;
}
