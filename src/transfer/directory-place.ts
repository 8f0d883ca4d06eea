import { lstat, open, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { HostError, systemErrorCode } from '../core/errors.ts';
import { makeDirectoryDurably } from '../fs/durable.ts';
import { beginFile, isTemporaryName } from '../fs/file-in-progress.ts';
import { fileNameRefusal, fileNameRefusals } from './directory-names.ts';
import { readFlags, versionOf, walk } from './directory-walk.ts';
import { TransferError } from './errors.ts';
import { ourLayout } from './etag.ts';
import type { Place } from './place.ts';

/** A directory as a place: keys are paths below it. */
export function directoryPlace(directory: string): Place {
  const name = resolve(directory);
  let root = name;
  const safe = new Set<string>();

  /** The path of a key, after making sure that no directory on the way is a link to elsewhere. */
  async function pathOf(key: string): Promise<string> {
    const refusal = fileNameRefusal(key);
    if (refusal !== undefined) throw new TransferError('path', `${key}: ${refusal}`, { subject: key });
    const path = join(root, key);
    await within(dirname(path));
    return path;
  }

  async function within(parent: string): Promise<void> {
    if (parent === root || safe.has(parent)) return;
    if (!parent.startsWith(root + sep) && root !== sep) throw leaves(parent);
    await within(dirname(parent));
    const stats = await lstat(parent).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (stats === undefined) return;
    if (!stats.isDirectory()) throw leaves(parent);
    safe.add(parent);
  }

  return {
    kind: 'directory',
    name,
    keeps: { headers: false, tags: false },

    async check(role) {
      const stats = await stat(name).catch((error: unknown) => {
        const code = systemErrorCode(error);
        if (code === 'ENOENT' && role === 'destination') return undefined;
        throw new HostError(code === 'EACCES' ? 'permission' : 'host', `${name} cannot be read (${code})`, {
          subject: name,
          advice: role === 'source' ? 'name a directory that exists, or s3://BUCKET/PREFIX' : undefined,
          cause: error,
        });
      });
      if (stats === undefined) return;
      if (!stats.isDirectory()) throw new HostError('host', `${name} is not a directory`, { subject: name });
      root = await realpath(name);
    },

    async *list(signal) {
      try {
        yield* await walk(root, signal);
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return;
        throw error;
      }
    },

    async open(key, { start = 0 }) {
      const handle = await open(await pathOf(key), readFlags);
      try {
        const stats = await handle.stat({ bigint: true });
        if (!stats.isFile()) throw new TransferError('path', `${key} is no file any more`, { subject: key });
        const version = versionOf(stats);
        const size = Number(stats.size);
        let open = true;
        const close = async () => {
          if (!open) return;
          open = false;
          await handle.close();
        };
        // Not beyond the size at opening: a log that somebody writes to would never end.
        const body =
          size > start
            ? handle.createReadStream({ start, end: size - 1, autoClose: false, highWaterMark: 262_144 })
            : Readable.from([]);
        return {
          key,
          size,
          modified: Number(stats.mtimeMs),
          etag: undefined,
          version,
          headers: {},
          opaqueEtag: false,
          tags: async () => undefined,
          body,
          async close() {
            body.destroy();
            await close();
          },
          async unchanged() {
            return versionOf(await lstat(await pathOf(key), { bigint: true })) === version;
          },
        };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    async begin({ key, size, modified }, note) {
      const path = await pathOf(key);
      await makeDirectoryDurably(dirname(path), 0o755);
      // Again: what was missing a moment ago may have been made as a link by somebody else.
      await within(dirname(path));
      const there = await lstat(path).catch(() => undefined);
      if (there?.isDirectory()) throw new TransferError('path', `${key}: a directory has this name`, { subject: key });
      const file = await beginFile(path, (temporary) => note({ kind: 'file', key, path: temporary }));
      const layout = ourLayout(size);
      return {
        write: (index, bytes) => file.write(bytes, index === 0 ? 0 : index * layout),
        async finish() {
          await file.commit(modified);
          const stats = await lstat(path, { bigint: true });
          if (Number(stats.size) !== size) {
            throw new TransferError('not-stored', `${key}: ${size} bytes were written, the file has ${stats.size}`, {
              subject: key,
            });
          }
          return { version: versionOf(stats), checked: false };
        },
        abort: () => file.discard(),
      };
    },

    async cleanUp(leftover) {
      // The state file could have been written by anybody: nothing but our own temporary files below the root goes.
      if (leftover.kind !== 'file' || !isTemporaryName(leftover.path)) return;
      if (!leftover.path.startsWith(root + sep)) return;
      await within(dirname(leftover.path));
      await rm(leftover.path, { force: true });
    },

    refusals: fileNameRefusals,

    async delete(keys) {
      const failed: { key: string; reason: string }[] = [];
      for (const key of keys) {
        try {
          await rm(await pathOf(key));
        } catch (error) {
          if (systemErrorCode(error) === 'ENOENT') continue;
          failed.push({ key, reason: error instanceof Error ? error.message : String(error) });
        }
      }
      return failed;
    },

    async close() {},
  };
}

function leaves(path: string): TransferError {
  return new TransferError('path', `${path} is a symbolic link or a file where a directory must be`, {
    subject: path,
    advice: 'links are never followed: remove it, or name the directory it leads to',
  });
}
