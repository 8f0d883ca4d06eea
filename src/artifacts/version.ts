import { ArtifactError } from './errors.ts';
import { type Artifact, artifactOf, type Manifest, manifestBytes, manifestSchema, mediaTypes } from './model.ts';
import { createOnce, type Place, parseDocument, proveConditionalWrites, sha256 } from './place.ts';
import { resolve, versionDigest } from './read.ts';

/** What a version shall be; its digest follows from it. */
export type Described = Omit<Artifact, 'digest'>;

export interface MadeVersion {
  readonly artifact: Artifact;
  /** False: it was there already, with the same content and facts. */
  readonly created: boolean;
}

/**
 * Makes a version of content that is there: its manifest, then the version's object, which must not be there.
 * @throws ArtifactError `version-exists`, `no-conditional-writes`
 */
export async function makeVersion(place: Place, described: Described): Promise<MadeVersion> {
  const { client, bucket, layout } = place;
  const { name, version } = described;
  if ((await versionDigest(place, name, version)) !== undefined) return sameVersion(place, described);
  const bytes = manifestBytes(described);
  const digest = sha256(bytes);
  const key = layout.blob(digest);
  const manifest: Manifest = parseDocument(manifestSchema, bytes, key);
  await client.put({ bucket, key, body: { bytes }, contentType: mediaTypes.manifest });
  await proveConditionalWrites(place, key, bytes);
  const pointer = Buffer.from(JSON.stringify({ mediaType: mediaTypes.manifest, digest, size: bytes.length }));
  if (!(await createOnce(place, layout.version(name, version), pointer))) return sameVersion(place, described);
  return { artifact: artifactOf(manifest, digest), created: true };
}

/** @throws ArtifactError `version-exists` unless what is there is what was to be made */
export async function sameVersion(place: Place, wanted: Described): Promise<MadeVersion> {
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
