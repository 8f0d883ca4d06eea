/** Ceph's own gateway over one bluestore OSD, by the `rgw-dev` tool that lies beside the checkout. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { repository } from '../paths.ts';
import { credentials, region, type Server, ServerUnavailable, type StartOptions } from './server.ts';

const daemons = ['rgw', 'osd', 'mon'];
/** A sparse file; deleted objects give their room back only some 30 s later. */
const storeBytes = 40 * 1024 ** 3;

/**
 * @throws {ServerUnavailable} without the tool or Ceph's packages. The folder of the tool is
 * `$BUCKETWRIGHT_SHARED/tools`, by default `../shared/tools` beside the checkout.
 */
export async function startRgw({ directory }: StartOptions): Promise<Server> {
  const shared = process.env.BUCKETWRIGHT_SHARED ?? resolve(repository, '..', 'shared');
  const tool = join(shared, 'tools', 'rgw-dev');
  if (!existsSync(tool)) throw new ServerUnavailable('rgw: no rgw-dev tool; BUCKETWRIGHT_SHARED names its folder');
  const run = (...args: string[]): string => {
    const done = spawnSync(tool, args, {
      encoding: 'utf8',
      timeout: 240_000,
      env: { ...process.env, RGW_DEV_REGION: region, RGW_DEV_SIZE: String(storeBytes) },
    });
    if (done.status !== 0) throw new ServerUnavailable(`rgw: rgw-dev ${args[0]} failed: ${done.stderr.trim()}`);
    return done.stdout;
  };
  // The tool takes ports up to 29 above this one too: below those that the kernel hands to outgoing connections.
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  run('start', directory, String(port));
  const stop = async (): Promise<void> => {
    run('stop', directory);
  };
  try {
    const { accessKeyId, secretAccessKey } = credentials;
    const user = [
      '--uid=bench',
      '--display-name=bench',
      `--access-key=${accessKeyId}`,
      `--secret-key=${secretAccessKey}`,
    ];
    run('admin', directory, 'user', 'create', ...user);
    const version = spawnSync('radosgw', ['--version'], { encoding: 'utf8' }).stdout.match(/\d+\.\d+\.\d+/)?.[0] ?? '?';
    const pids = daemons.map((name) => Number(readFileSync(join(directory, 'run', `${name}.pid`), 'utf8')));
    return { id: 'rgw', label: `Ceph RGW ${version}: mon, one bluestore OSD, radosgw`, port, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
