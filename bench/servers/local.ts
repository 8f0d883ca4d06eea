/** The servers that are this repository's own: the product, and the two ceilings beside it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { repository } from '../paths.ts';
import type { ServerId } from '../plan.ts';
import {
  credentials,
  freePort,
  region,
  type Server,
  ServerUnavailable,
  type StartOptions,
  startProcess,
} from './server.ts';

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function startNull({ directory }: StartOptions): Promise<Server> {
  const port = await freePort();
  return startProcess({
    id: 'null',
    label: 'node:http that stores nothing and answers empty',
    port,
    command: process.execPath,
    args: [script('../ceilings/null.js'), String(port)],
    directory,
  });
}

export async function startFile({ directory }: StartOptions): Promise<Server> {
  const port = await freePort();
  return startProcess({
    id: 'file',
    label: 'node:http that writes and fsyncs one file a request',
    port,
    command: process.execPath,
    args: [script('../ceilings/file.js'), String(port), directory],
    // As our own server has, so that 64 clients do not wait for four threads.
    env: { UV_THREADPOOL_SIZE: '16' },
    directory,
  });
}

/** The built command line, durability strict (its default), one process (its default). */
export function startOurs(options: StartOptions): Promise<Server> {
  return startBuilt('ours', '1', 'fsync before every answer, signatures checked', options);
}

/** The same, with a process a core. */
export function startOursOnAllCores(options: StartOptions): Promise<Server> {
  return startBuilt('cores', 'auto', 'the same with --processes auto', options);
}

/** With days of lifecycle rules that are short enough to see some. */
export function startSoakServer(options: StartOptions, processes: string, lifecycleDay: string): Promise<Server> {
  return startBuilt('ours', processes, 'for a soak', options, { BUCKETWRIGHT_LIFECYCLE_DAY: lifecycleDay });
}

async function startBuilt(
  id: ServerId,
  processes: string,
  what: string,
  { directory }: StartOptions,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const bin = join(repository, 'bin', 'bucketwright.cjs');
  if (!existsSync(bin) || !existsSync(join(repository, 'dist'))) {
    throw new ServerUnavailable('ours: not built; run `npm run build` first');
  }
  const port = await freePort();
  const adminPort = await freePort();
  const manifest = z.object({ version: z.string() });
  const { version } = manifest.parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')));
  return startProcess({
    id,
    label: `Bucketwright ${version}: ${what}`,
    port,
    command: process.execPath,
    args: [bin, 'serve', '--processes', processes],
    env: {
      BUCKETWRIGHT_DATA: join(directory, 'data'),
      BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`,
      BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      S3_ACCESS_KEY_ID: credentials.accessKeyId,
      S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      S3_REGION: region,
      ...env,
    },
    cwd: directory,
    directory,
  });
}
