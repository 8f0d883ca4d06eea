/** moto, the Python mock: memory only. Installed by the bench into a virtual environment in its own cache. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../paths.ts';
import { freePort, type Server, ServerUnavailable, type StartOptions, startProcess } from './server.ts';

const VERSION = '5.1.22';
const environment = join(cacheDirectory, 'moto');
const python = join(environment, 'bin', 'python3');

function run(command: string, ...args: string[]): void {
  const done = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  if (done.status !== 0)
    throw new ServerUnavailable(`moto: ${command} failed: ${(done.stderr ?? '').trim().slice(-300)}`);
}

/** @throws {ServerUnavailable} without Python's venv, or where pip cannot have it */
export async function startMoto({ directory }: StartOptions): Promise<Server> {
  if (!existsSync(join(environment, 'bin', 'moto_server'))) {
    mkdirSync(cacheDirectory, { recursive: true });
    run('python3', '-m', 'venv', environment);
    process.stderr.write('bench: installing moto into its cache\n');
    run(python, '-m', 'pip', 'install', '--quiet', `moto[s3,server]==${VERSION}`);
  }
  const port = await freePort();
  return startProcess({
    id: 'moto',
    label: `moto ${VERSION}: memory only, checks no signature`,
    port,
    command: join(environment, 'bin', 'moto_server'),
    args: ['-H', '127.0.0.1', '-p', String(port)],
    directory,
  });
}
