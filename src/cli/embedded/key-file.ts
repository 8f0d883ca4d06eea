import { randomBytes } from 'node:crypto';
import { chmod, link, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, systemErrorCode } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../../fs/durable.ts';
import type { Credentials, Settings } from '../../settings/index.ts';

/** The generated settings file of a data directory: `data/s3.env`. */
export const keyFilePath = (data: string): string => join(data, 's3.env');

/** What the file says besides the keys; everything but the keys is rewritten when it changes. */
export interface KeyFileFacts {
  readonly endpoint: string;
  readonly region: string;
  readonly buckets: Settings['buckets'];
}

/**
 * The keys of a data directory, created once and kept. Two starters at the same moment get the same keys: the file
 * appears whole, and only one of them can be the first.
 * @throws HostError when the file is there but holds no keys, or the directory may not be written
 */
export async function keysOf(data: string, facts: KeyFileFacts): Promise<Credentials> {
  const path = keyFilePath(data);
  try {
    await makeDirectoryDurably(data);
    const existing = await readKeys(path);
    if (existing !== undefined) return existing;
    const candidate = `${path}.${randomBytes(6).toString('hex')}`;
    await writeFileDurably(candidate, render(newKeys(), facts));
    try {
      await link(candidate, path);
      await syncDirectory(data);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    } finally {
      await rm(candidate, { force: true });
    }
  } catch (error) {
    if (error instanceof HostError) throw error;
    const code = systemErrorCode(error);
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new HostError(denied ? 'permission' : 'host', `${path} cannot be written (${code ?? 'unknown'})`, {
      subject: path,
      advice: 'set BUCKETWRIGHT_DATA to a directory that this user may write',
      cause: error,
    });
  }
  const keys = await readKeys(path);
  if (keys === undefined) throw new HostError('host', `${path} vanished while it was made`, { subject: path });
  return keys;
}

/** Brings endpoint, region and buckets of an existing file up to date; the keys stay. */
export async function refreshKeyFile(data: string, keys: Credentials, facts: KeyFileFacts): Promise<void> {
  const path = keyFilePath(data);
  const wanted = render(keys, facts);
  if ((await readFile(path, 'utf8')) !== wanted) await writeFileDurably(path, wanted);
  else await chmod(path, 0o600);
}

/** @returns undefined when there is no file @throws HostError when it holds no keys */
export async function readKeys(path: string): Promise<Credentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const lineOf = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1]?.trim();
  const [accessKeyId, secretAccessKey] = [lineOf('S3_ACCESS_KEY_ID'), lineOf('S3_SECRET_ACCESS_KEY')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new HostError('host', `${path} holds no keys`, {
      subject: path,
      advice: 'put S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY back, or remove the file to get new keys',
    });
  }
  return { accessKeyId: new Secret(accessKeyId), secretAccessKey: new Secret(secretAccessKey) };
}

/**
 * Whether the data directory's own keys are the ones in use: none were given, or the given ones came from the file,
 * as they do in a shell that has sourced it.
 */
export async function usesKeyFile(data: string, given: Credentials | undefined): Promise<boolean> {
  if (given === undefined) return true;
  const kept = await readKeys(keyFilePath(data));
  return (
    kept?.accessKeyId.reveal() === given.accessKeyId.reveal() &&
    kept.secretAccessKey.reveal() === given.secretAccessKey.reveal()
  );
}

/**
 * Whether the given keys look like another server's: this directory has keys of its own, or they came along with the
 * address of an embedded server that is not this one. A shell that has sourced another `s3.env` does both.
 * @param url where this server answers
 */
export async function keysOfAnother(settings: Settings, url: string): Promise<boolean> {
  const { server, storage } = settings;
  if (await usesKeyFile(server.data, server.credentials)) return false;
  if ((await readKeys(keyFilePath(server.data))) !== undefined) return true;
  return storage.kind === 's3' && storage.provider === 'embedded' && storage.endpoint.url !== url;
}

/** 100 bits of id and 240 of secret, in characters that no shell, YAML or URL needs to quote. */
function newKeys(): Credentials {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const id = Array.from(randomBytes(20), (byte) => alphabet[byte % alphabet.length]).join('');
  return { accessKeyId: new Secret(id), secretAccessKey: new Secret(randomBytes(30).toString('base64url')) };
}

function render(keys: Credentials, { endpoint, region, buckets }: KeyFileFacts): string {
  return `# Written by bucketwright serve. The keys are made once and kept; the other lines follow the server's settings.
# In a shell: set -a; . this-file; set +a
S3_ENDPOINT=${endpoint}
S3_REGION=${region}
S3_ACCESS_KEY_ID=${keys.accessKeyId.reveal()}
S3_SECRET_ACCESS_KEY=${keys.secretAccessKey.reveal()}
S3_FORCE_PATH_STYLE=true
S3_INSECURE=true
S3_PROVIDER=embedded
S3_BUCKET_LOKI=${buckets.loki.bucket}
S3_BUCKET_TEMPO=${buckets.tempo.bucket}
`;
}
