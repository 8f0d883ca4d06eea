import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { resolve as absolute, basename, dirname, join } from 'node:path';
import { DAY } from '../core/durations.ts';
import { systemErrorCode } from '../core/errors.ts';
import { moveDurably } from '../fs/durable.ts';
import { beginFile, isTemporaryName } from '../fs/file-in-progress.ts';
import { syncTree } from '../fs/sync-tree.ts';
import { owned } from './borrowed.ts';
import { ArtifactError } from './errors.ts';
import { type Artifact, mediaTypes } from './model.ts';
import { hexOf } from './names.ts';
import type { ArtifactSource } from './source.ts';
import { defaultLimits, type UnpackLimits, unpack } from './unpack.ts';

export interface PullRequest {
  readonly artifact: Artifact;
  /** Where the file, or the link to the directory, shall be. */
  readonly target: string;
  readonly limits?: UnpackLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface Pulled {
  /** The target, absolute. */
  readonly path: string;
  /** Where the bytes really are. */
  readonly content: string;
  /** False: it was there already, and nothing was read. */
  readonly changed: boolean;
}

/**
 * Puts an artifact into place, checked, at once or not at all. A file replaces the file at the target. A directory is
 * unpacked beside the target (`.<target>.artifacts/sha256-…`) and the target becomes a link to it, so that a reader sees
 * the old or the new one; the one before is kept for those who still read it.
 * @throws ArtifactError `target`, `content-missing`, `content-damaged`, `unsafe-archive`
 */
export async function pull(source: ArtifactSource, request: PullRequest): Promise<Pulled> {
  const path = absolute(request.target);
  await mkdir(dirname(path), { recursive: true });
  return request.artifact.content.mediaType === mediaTypes.tar
    ? pullDirectory(source, request, path)
    : pullFile(source, request, path);
}

async function pullFile(source: ArtifactSource, request: PullRequest, path: string): Promise<Pulled> {
  const facts = await factsOf(path);
  if (facts !== undefined && !facts.isFile()) throw taken(path, 'it is not a file');
  await removeAbandoned(dirname(path), isTemporaryName);
  const file = await beginFile(path, async () => {});
  try {
    await source.save(request.artifact, file, request);
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return { path, content: path, changed: true };
}

async function pullDirectory(source: ArtifactSource, request: PullRequest, path: string): Promise<Pulled> {
  const { artifact, limits, signal, onProgress } = request;
  const store = join(dirname(path), `.${basename(path)}.artifacts`);
  const current = await linkAt(path, basename(store));
  const name = `sha256-${hexOf(artifact.content.digest)}`;
  const content = join(store, name);
  if ((await factsOf(content)) === undefined) {
    await mkdir(store, { recursive: true });
    await removeAbandoned(store, (name) => /^\.[0-9a-f]{16}\.part$/.test(name));
    const unpacked = join(store, `.${randomBytes(8).toString('hex')}.part`);
    await mkdir(unpacked, { mode: 0o755 });
    try {
      await unpack(counted(owned(source.read(artifact, signal)), onProgress), unpacked, limits ?? defaultLimits);
      await syncTree(unpacked);
      await moveDurably(unpacked, content);
    } catch (error) {
      await rm(unpacked, { recursive: true, force: true });
      // Two pulls of the same artifact into the same place: the other one was first.
      if (!['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw error;
    }
  } else if (current === name) {
    return { path, content, changed: false };
  }
  const link = `${path}.${randomBytes(6).toString('hex')}.link`;
  await symlink(join(basename(store), name), link);
  await moveDurably(link, path);
  await removeOlder(store, [name, current]);
  return { path, content, changed: true };
}

/** Which content a link of ours leads to; undefined where nothing is. @throws ArtifactError `target` */
async function linkAt(path: string, store: string): Promise<string | undefined> {
  const facts = await factsOf(path);
  if (facts === undefined) return undefined;
  const leads = facts.isSymbolicLink() ? await readlink(path) : '';
  if (dirname(leads) === store) return basename(leads);
  throw taken(path, 'it is not a link that an earlier pull made');
}

/** What nothing leads to any more, save the one before: a process may still read from it. */
async function removeOlder(store: string, keep: readonly (string | undefined)[]): Promise<void> {
  for (const entry of await readdir(store)) {
    if (entry.startsWith('sha256-') && !keep.includes(entry)) {
      await rm(join(store, entry), { recursive: true, force: true });
    }
  }
}

/** What killed pulls left: nobody works on it for a whole day. */
async function removeAbandoned(directory: string, isOurs: (name: string) => boolean): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (!isOurs(entry)) continue;
    const facts = await factsOf(join(directory, entry));
    if (facts !== undefined && facts.mtimeMs < Date.now() - DAY) {
      await rm(join(directory, entry), { recursive: true, force: true });
    }
  }
}

async function* counted(bytes: AsyncIterable<Buffer>, onProgress: PullRequest['onProgress']) {
  for await (const chunk of bytes) {
    onProgress?.(chunk.length);
    yield chunk;
  }
}

async function factsOf(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function taken(path: string, why: string): ArtifactError {
  return new ArtifactError('target', `${path} is not replaced: ${why}`, {
    subject: path,
    advice: 'pull to another place, or move what is there away',
  });
}
