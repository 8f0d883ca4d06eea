import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { HostError, systemErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

/** PEM files: the certificate with its chain, and its key. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** How often they are looked at, in milliseconds. Default 2,000. */
  readonly lookMs?: number;
}

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How often the files are looked at, in milliseconds. Watching by name fails where they are swapped by symbolic links. */
const LOOK_MS = 2000;

/**
 * Reads both files and makes sure that they belong together.
 * @throws HostError `host`, `permission`
 */
export async function readTls(files: TlsFiles): Promise<TlsMaterial> {
  const [cert, key] = await Promise.all([readPem(files.certificate), readPem(files.key)]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HostError('host', `${files.certificate} and ${files.key} are no certificate with its key: ${why}`, {
      subject: files.certificate,
      cause,
      advice: 'name PEM files that belong together: BUCKETWRIGHT_TLS_CERT with the whole chain, BUCKETWRIGHT_TLS_KEY',
    });
  }
  return { cert, key };
}

/**
 * Takes a renewed certificate into use for new connections: when a file changes, and at SIGHUP. Files that do not belong
 * together (one of them is being replaced) leave the old ones in use and are looked at again.
 * @returns ends it
 */
export function keepTlsFresh(server: Server, files: TlsFiles, logger: Logger): () => void {
  let seen = '';
  let running = false;
  const look = async (asked: boolean) => {
    if (running) return;
    running = true;
    try {
      const now = `${await identity(files.certificate)} ${await identity(files.key)}`;
      if (now === seen && !asked) return;
      const first = seen === '';
      seen = now;
      if (first && !asked) return;
      server.setSecureContext(await readTls(files));
      logger.info({ certificate: files.certificate }, 'the certificate was read again');
    } catch (error) {
      logger.warn({ err: error }, 'the certificate cannot be read again; the old one stays in use');
    } finally {
      running = false;
    }
  };
  const onSignal = () => void look(true);
  const timer = setInterval(() => void look(false), files.lookMs ?? LOOK_MS);
  timer.unref();
  process.on('SIGHUP', onSignal);
  void look(false);
  return () => {
    clearInterval(timer);
    process.off('SIGHUP', onSignal);
  };
}

async function identity(file: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(file);
  return `${ino}-${mtimeMs}-${size}`;
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = systemErrorCode(cause);
    throw new HostError(code === 'EACCES' ? 'permission' : 'host', `${file} cannot be read (${code ?? 'unknown'})`, {
      subject: file,
      cause,
      advice: 'check BUCKETWRIGHT_TLS_CERT and BUCKETWRIGHT_TLS_KEY, and who may read the files',
    });
  }
}
