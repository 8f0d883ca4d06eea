/** MinIO, where somebody has a binary: its registry images are no longer published. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  credentials,
  freePort,
  region,
  type Server,
  ServerUnavailable,
  type StartOptions,
  startProcess,
} from './server.ts';

/** @throws {ServerUnavailable} without `MINIO_BIN` */
export async function startMinio({ directory }: StartOptions): Promise<Server> {
  const binary = process.env.MINIO_BIN;
  if (binary === undefined || !existsSync(binary)) {
    throw new ServerUnavailable('minio: MINIO_BIN names no binary');
  }
  const [port, consolePort] = [await freePort(), await freePort()];
  const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.match(/RELEASE\.\S+/)?.[0] ?? '?';
  return startProcess({
    id: 'minio',
    label: `MinIO ${version}: one drive`,
    port,
    command: binary,
    args: [
      'server',
      '--quiet',
      '--address',
      `127.0.0.1:${port}`,
      '--console-address',
      `127.0.0.1:${consolePort}`,
      join(directory, 'data'),
    ],
    env: {
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_REGION: region,
      HOME: directory,
    },
    directory,
  });
}
