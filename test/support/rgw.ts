import { existsSync } from 'node:fs';
import { type DisposableEndpoint, endpointOf } from './endpoint.ts';
import { sharedPath } from './paths.ts';
import { freePorts } from './ports.ts';
import { run } from './run.ts';
import { temporaryDirectory } from './temporary.ts';

/** Why no Ceph RADOS Gateway can be started here, or undefined where one can. */
export function rgwMissing(): string | undefined {
  if (sharedPath('tools/rgw-dev') === undefined)
    return 'tools/rgw-dev is not beside the checkout (BUCKETWRIGHT_SHARED)';
  // Of another Debian release, which rgw-dev fetches beside the host's.
  if (process.env.RGW_DEV_SUITE !== undefined) return undefined;
  const missing = ['ceph-mon', 'ceph-osd', 'radosgw'].filter((name) => !existsSync(`/usr/bin/${name}`));
  return missing.length > 0 ? `${missing.join(', ')}: not installed (script/setup-clients)` : undefined;
}

export interface RgwEndpoint extends DisposableEndpoint {
  /** `radosgw-admin` with these arguments, against this gateway. */
  admin(...args: readonly string[]): Promise<string>;
}

/** Whether it is the host's Ceph, of Debian 12: release 16; `RGW_DEV_SUITE=trixie` is release 18. */
export const isCeph16 = (process.env.RGW_DEV_SUITE ?? 'bookworm') === 'bookworm';

/** A fresh Ceph RADOS Gateway on loopback, in memory, with the first project's keys; disposing stops it. */
export async function startRgw(): Promise<RgwEndpoint> {
  const tool = sharedPath('tools/rgw-dev');
  if (tool === undefined) throw new Error('no rgw-dev');
  const directory = await temporaryDirectory('rgw');
  const stop = async () => {
    await run(tool, ['stop', directory.path], { timeoutMs: 60_000 });
    await directory.remove();
  };
  for (let attempt = 1; ; attempt++) {
    // it also takes PORT+1 and some of PORT+10..29, so a neighbour can be in the way
    const [port = 0] = await freePorts(1);
    try {
      await run(tool, ['start', directory.path, String(port)], {
        env: { ...process.env, RGW_DEV_STORE: 'memstore' },
        timeoutMs: 120_000,
      });
      break;
    } catch (error) {
      if (attempt >= 3) throw error;
    }
  }
  const { stdout } = await run(tool, ['users', directory.path]);
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const endpoint = endpointOf(
    value('RGW_ENDPOINT'),
    value('RGW_REGION'),
    value('RGW_ALPHA_ACCESS_KEY_ID'),
    value('RGW_ALPHA_SECRET_ACCESS_KEY'),
  );
  const admin = async (...args: readonly string[]) =>
    (await run(tool, ['admin', directory.path, ...args], { timeoutMs: 60_000 })).stdout;
  return { ...endpoint, admin, [Symbol.asyncDispose]: stop };
}
