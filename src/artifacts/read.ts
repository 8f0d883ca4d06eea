import { ArtifactError } from './errors.ts';
import { entryNumber } from './layout.ts';
import { type Artifact, artifactOf, type Entry, entrySchema, manifestSchema, versionSchema } from './model.ts';
import { type Digest, formatReference, type Reference } from './names.ts';
import { type Place, parseDocument, readBytes, sha256 } from './place.ts';

/** A history's entry with the digest that the next one names. */
export interface StoredEntry extends Entry {
  readonly entryDigest: Digest;
}

export interface Resolved {
  readonly artifact: Artifact;
  /** Where a channel led here. */
  readonly entry: StoredEntry | undefined;
}

/**
 * What a reference means now. The manifest's bytes are checked against its digest.
 * @throws ArtifactError `no-such-version`, `no-such-channel`, `content-missing`, `content-damaged`, `document`
 */
export async function resolve(place: Place, reference: Reference): Promise<Resolved> {
  const { name } = reference;
  switch (reference.by) {
    case 'version': {
      const digest = await versionDigest(place, name, reference.version);
      if (digest === undefined) throw absent(reference);
      return { artifact: await readManifest(place, name, digest, reference), entry: undefined };
    }
    case 'channel': {
      const entry = await currentEntry(place, name, reference.channel);
      if (entry === undefined) throw absent(reference);
      return { artifact: await readManifest(place, name, entry.digest, reference), entry };
    }
    case 'digest': {
      return { artifact: await readManifest(place, name, reference.digest, reference), entry: undefined };
    }
  }
}

/** The digest of a version's manifest, or undefined where there is no such version. */
export async function versionDigest(place: Place, name: string, version: string): Promise<Digest | undefined> {
  const key = place.layout.version(name, version);
  const bytes = await readBytes(place, key);
  return bytes === undefined ? undefined : parseDocument(versionSchema, bytes, key).digest;
}

async function readManifest(place: Place, name: string, digest: Digest, reference: Reference): Promise<Artifact> {
  const { artifact } = await manifestAndBytes(place, digest, reference);
  if (artifact.name === name) return artifact;
  throw new ArtifactError('no-such-version', `${digest} is an artifact of ${artifact.name}, not of ${name}`, {
    subject: formatReference(reference),
    advice: `ask for ${artifact.name}@${digest}`,
  });
}

/** @throws ArtifactError `content-missing`, `content-damaged`, `document` */
export async function manifestAndBytes(
  place: Place,
  digest: Digest,
  reference?: Reference,
): Promise<{ readonly artifact: Artifact; readonly bytes: Buffer }> {
  const key = place.layout.blob(digest);
  const bytes = await readBytes(place, key);
  if (bytes === undefined) {
    if (reference?.by === 'digest') throw absent(reference);
    throw new ArtifactError('content-missing', `the manifest ${digest} is not there`, {
      subject: key,
      advice: 'push the same content again as a new version, and look who deletes below this prefix',
    });
  }
  if (sha256(bytes) !== digest) throw damaged(key, `the manifest is not what ${digest} says`);
  return { artifact: artifactOf(parseDocument(manifestSchema, bytes, key), digest), bytes };
}

/** Where a channel is, or undefined where it never was. One LIST of one key and one GET, however long its history is. */
export async function currentEntry(place: Place, name: string, channel: string): Promise<StoredEntry | undefined> {
  for await (const entry of history(place, name, channel, 1)) return entry;
  return undefined;
}

/** A channel's history, newest first. @throws ArtifactError `document` */
export async function* history(
  place: Place,
  name: string,
  channel: string,
  pageSize = 1000,
): AsyncGenerator<StoredEntry> {
  const { client, bucket, layout } = place;
  const prefix = layout.channel(name, channel);
  for await (const listed of client.list({ bucket, prefix, pageSize })) {
    if (listed.kind !== 'object') continue;
    const number = entryNumber(listed.key.slice(prefix.length));
    if (number === undefined) continue;
    const entry = await entryAt(place, name, channel, number);
    if (entry !== undefined) yield entry;
  }
}

export async function entryAt(
  place: Place,
  name: string,
  channel: string,
  number: number,
): Promise<StoredEntry | undefined> {
  const key = place.layout.entry(name, channel, number);
  const bytes = await readBytes(place, key);
  if (bytes === undefined) return undefined;
  const entry = parseDocument(entrySchema, bytes, key);
  if (entry.name === name && entry.channel === channel && entry.number === number) {
    return { ...entry, entryDigest: sha256(bytes) };
  }
  throw damaged(key, `it says that it is entry ${entry.number} of ${entry.name}@${entry.channel}`);
}

export function contentMissing({ layout }: Place, digest: Digest, cause?: unknown): ArtifactError {
  return new ArtifactError('content-missing', `the content ${digest} is not there`, {
    subject: layout.blob(digest),
    advice: 'push the same content again under the same version: that puts it back',
    cause,
  });
}

export function damaged(key: string, message: string): ArtifactError {
  return new ArtifactError('content-damaged', `${key}: ${message}`, {
    subject: key,
    advice: 'do not use it: take another version, and look who writes below this prefix',
  });
}

function absent(reference: Reference): ArtifactError {
  const text = formatReference(reference);
  return reference.by === 'channel'
    ? new ArtifactError('no-such-channel', `${reference.name} has no channel ${reference.channel}`, {
        subject: text,
        advice: `bucketwright artifact show ${reference.name} tells which there are; promote a version to make one`,
      })
    : new ArtifactError('no-such-version', `there is no ${text}`, {
        subject: text,
        advice: `bucketwright artifact show ${reference.name} tells which there are`,
      });
}
