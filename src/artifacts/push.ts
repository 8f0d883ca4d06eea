import { ArtifactError } from './errors.ts';
import { spare } from './marks.ts';
import {
  type Artifact,
  artifactOf,
  type Facts,
  type Manifest,
  manifestBytes,
  manifestSchema,
  mediaTypes,
} from './model.ts';
import { checkName, checkVersion } from './names.ts';
import { openSource, type Source } from './pack.ts';
import { createOnce, type Place, parseDocument, proveConditionalWrites, sha256 } from './place.ts';
import { resolve, versionDigest } from './read.ts';
import { isThere, measure, uploadContent } from './upload.ts';

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
  const facts = {
    kind: request.kind ?? 'bundle',
    labels: request.labels ?? {},
    revision: request.revision,
    creator: request.creator,
  };
  const described = {
    ...facts,
    name,
    version,
    created: new Date(place.clock.now()).toISOString(),
    content: { ...content, mediaType: source.mediaType, title: source.title },
  };
  const there = await versionDigest(place, name, version);
  if (there !== undefined) return { ...(await sameVersion(place, described)), uploaded };
  const bytes = manifestBytes(described);
  const digest = sha256(bytes);
  const key = place.layout.blob(digest);
  const manifest: Manifest = parseDocument(manifestSchema, bytes, key);
  const { client, bucket } = place;
  await client.put({ bucket, key, body: { bytes }, contentType: mediaTypes.manifest, signal });
  await proveConditionalWrites(place, key, bytes);
  const pointer = Buffer.from(JSON.stringify({ mediaType: mediaTypes.manifest, digest, size: bytes.length }));
  if (!(await createOnce(place, place.layout.version(name, version), pointer))) {
    return { ...(await sameVersion(place, described)), uploaded };
  }
  // Somebody may have removed it by hand meanwhile.
  if (!(await isThere(place, content))) await uploadContent(place, source, content, { signal });
  return { artifact: artifactOf(manifest, digest), created: true, uploaded };
}

async function provideContent(
  place: Place,
  source: Source,
  content: { readonly digest: Artifact['digest']; readonly size: number },
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

/** @throws ArtifactError `version-exists` unless what is there is what was to be pushed */
async function sameVersion(
  place: Place,
  wanted: Omit<Artifact, 'digest'>,
): Promise<{ readonly artifact: Artifact; readonly created: false }> {
  const { name, version } = wanted;
  const { artifact } = await resolve(place, { by: 'version', name, version });
  const same =
    artifact.content.digest === wanted.content.digest &&
    artifact.content.mediaType === wanted.content.mediaType &&
    artifact.kind === wanted.kind &&
    (wanted.revision === undefined || artifact.revision === wanted.revision) &&
    Object.entries(wanted.labels).every(([key, value]) => artifact.labels[key] === value);
  if (same) return { artifact, created: false };
  throw new ArtifactError('version-exists', `${name}:${version} is there already, as something else`, {
    subject: `${name}:${version}`,
    advice: 'versions are never reused: push under a new one',
  });
}
