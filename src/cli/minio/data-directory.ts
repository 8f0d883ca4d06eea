import { constants } from 'node:fs';
import { access, lchown, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, systemErrorCode } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** `1000:1000`, as the image sets it. */
export function parseIdentity(text: string | undefined): Identity | undefined {
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(text ?? '');
  return match === null ? undefined : { uid: Number(match[1]), gid: Number(match[2]) };
}

/**
 * Makes the data directory usable, or says what is in the way. Started as root with an identity to run as (which only
 * the image has: on a host nobody's directory changes hands), it gives the directory to that identity and becomes it.
 * @throws HostError `permission` with both uids, `data-directory-format` for a directory of MinIO's
 */
export async function prepareDataDirectory(data: string, runAs: Identity | undefined, logger: Logger): Promise<void> {
  try {
    await mkdir(data, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new HostError(
      'permission',
      `${data} cannot be made by uid ${uid()} (${systemErrorCode(error) ?? 'unknown'})`,
      {
        subject: data,
        advice: `mount a volume there, or make it and give it to uid ${uid()}`,
        cause: error,
      },
    );
  }
  await refuseMinioData(data);
  if (uid() === 0 && runAs !== undefined && runAs.uid !== 0) await becomeUser(data, runAs, logger);
  await refuseUnwritable(data);
}

async function becomeUser(data: string, { uid: user, gid }: Identity, logger: Logger): Promise<void> {
  try {
    if (await belongsToOthers(data, user)) await giveTo(data, user, gid);
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(user);
    logger.info({ uid: user, gid }, `started as root: gave ${data} to uid ${user} and run as that user`);
  } catch (error) {
    const reason = systemErrorCode(error) ?? 'unknown';
    logger.warn({ reason }, `started as root without the capabilities to become uid ${user}: running on as root`);
  }
}

/** The directory itself or something right inside is another's: what lies deeper has the same owner as its parent. */
async function belongsToOthers(data: string, user: number): Promise<boolean> {
  for (const name of ['.', ...(await readdir(data))]) {
    if ((await stat(join(data, name))).uid !== user) return true;
  }
  return false;
}

/** Links themselves change hands, never what they point to. */
async function giveTo(path: string, user: number, gid: number): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(inner, user, gid);
    else await lchown(inner, user, gid);
  }
  await lchown(path, user, gid);
}

async function refuseUnwritable(data: string): Promise<void> {
  for (const name of ['.', 'FORMAT', 'index', 'index/data.mdb', 'bodies', 's3.env']) {
    const path = join(data, name);
    try {
      const directory = (await stat(path)).isDirectory();
      await access(path, constants.R_OK | constants.W_OK | (directory ? constants.X_OK : 0));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') continue;
      throw await unwritable(data, path, error);
    }
  }
}

function unwritableAdvice(data: string): string {
  const own = `chown -R ${uid()}:${process.getgid?.() ?? 0} on what is mounted at ${data}`;
  return uid() === 0
    ? `root without capabilities may not write what is another's: leave out "user: root", or "cap_drop", or add CHOWN, DAC_OVERRIDE, SETUID and SETGID; or ${own}`
    : `give the volume to this user (${own}), or start the container once with "user: root": it then gives the directory to uid 1000 and drops to that user`;
}

async function unwritable(data: string, path: string, cause: unknown): Promise<HostError> {
  const owner = await stat(path).then(
    ({ uid: found, gid, mode }) => `it belongs to ${found}:${gid} with mode ${(mode & 0o7777).toString(8)}`,
    () => 'its owner cannot be seen',
  );
  const why = systemErrorCode(cause) === 'EROFS' ? 'it is mounted read-only' : owner;
  return new HostError('permission', `uid ${uid()} may not write ${path}: ${why}`, {
    subject: path,
    advice: unwritableAdvice(data),
    cause,
  });
}

/** First of all: nothing of MinIO's changes hands. */
async function refuseMinioData(data: string): Promise<void> {
  const names = await readdir(data).catch(() => []);
  if (!names.some((name) => name === '.minio.sys')) return;
  throw new HostError(
    'data-directory-format',
    `${data} holds MinIO's data (.minio.sys), which this server cannot read`,
    {
      subject: data,
      advice:
        'nothing was changed: give it a fresh volume, keep MinIO running on the old one, and copy the buckets over S3',
    },
  );
}

function uid(): number {
  return process.getuid?.() ?? -1;
}
