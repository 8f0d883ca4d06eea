import { createHash } from 'node:crypto';

/*
 * S3's semantics in memory, as simply as they can be said: per key a list of versions, newest first. What the server
 * chooses (version ids, upload ids) is taken from its answers.
 */

export interface Version {
  /** `null` for the null version, also in a bucket that never had versioning. */
  readonly id: string;
  readonly marker: boolean;
  readonly size: number;
  /** MD5 of the bytes. */
  readonly digest: string;
  readonly etag: string;
  readonly tag: string;
}

export interface Part {
  readonly number: number;
  readonly bytes: string;
}

export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly parts: Map<number, Part>;
  /** Once completed: what it became. */
  became: { readonly etag: string; readonly id: string | undefined } | undefined;
  /** False when it was aborted, or its bucket is gone. */
  alive: boolean;
}

export interface Bucket {
  versioning: 'Enabled' | 'Suspended' | undefined;
  /** Newest first; never empty. */
  readonly objects: Map<string, readonly Version[]>;
}

export interface State {
  readonly buckets: Map<string, Bucket>;
  readonly uploads: Map<string, Upload>;
  /** By bucket and key: all version ids that were ever told. */
  readonly told: Map<string, readonly string[]>;
}

export function emptyState(): State {
  return { buckets: new Map(), uploads: new Map(), told: new Map() };
}

export function versionsOf(state: State, bucket: string, key: string): readonly Version[] {
  return state.buckets.get(bucket)?.objects.get(key) ?? [];
}

/** The current version, when it is no delete marker. */
export function currentOf(state: State, bucket: string, key: string): Version | undefined {
  const [newest] = versionsOf(state, bucket, key);
  return newest?.marker === false ? newest : undefined;
}

/** Writes a version (or marker) as the bucket's versioning demands. `made` is the id the server chose. */
export function addVersion(state: State, bucket: string, key: string, version: Version): void {
  const { versioning, objects } = require(state, bucket);
  const older = versionsOf(state, bucket, key);
  const kept = versioning === 'Enabled' ? older : older.filter(({ id }) => id !== 'null');
  objects.set(key, [version, ...kept]);
  const name = `${bucket}/${key}`;
  state.told.set(name, [...new Set([...(state.told.get(name) ?? []), version.id])]);
}

export function removeVersion(state: State, bucket: string, key: string, id: string): void {
  replaceVersions(
    state,
    bucket,
    key,
    versionsOf(state, bucket, key).filter((version) => version.id !== id),
  );
}

export function replaceVersions(state: State, bucket: string, key: string, versions: readonly Version[]): void {
  const { objects } = require(state, bucket);
  if (versions.length === 0) objects.delete(key);
  else objects.set(key, versions);
}

function require(state: State, bucket: string): Bucket {
  const found = state.buckets.get(bucket);
  if (found === undefined) throw new Error(`the model has no bucket ${bucket}`);
  return found;
}

export interface Listed {
  readonly key: string;
  readonly versions: readonly Version[];
}

/** The keys under a prefix in the order of their bytes, each with its versions, or as a group. */
export function listed(state: State, bucket: string, prefix: string): readonly Listed[] {
  const all = [...(state.buckets.get(bucket)?.objects ?? [])].map(([key, versions]) => ({ key, versions }));
  return all
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}

/** Key or common prefix, for the lines of a listing; groups once each. */
export function grouped(
  keys: readonly Listed[],
  prefix: string,
  delimiter: string,
  lines: (entry: Listed) => readonly string[],
): readonly string[] {
  const out: string[] = [];
  for (const entry of keys) {
    const at = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const group = at === -1 ? undefined : `${entry.key.slice(0, at + delimiter.length)}…`;
    const mine = lines(entry);
    if (group === undefined) out.push(...mine);
    else if (mine.length > 0 && !out.includes(group)) out.push(group);
  }
  return out;
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** S3's entity tag of a multipart object. */
export function multipartEtag(parts: readonly Part[]): string {
  const hash = createHash('md5');
  for (const { bytes } of parts) hash.update(md5(bytes), 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}
