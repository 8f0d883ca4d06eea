import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newToken } from '../../src/control/index.ts';
import { runWrk, type WrkRun } from '../drive/wrk.ts';
import { repository } from '../paths.ts';
import { freePort, type Server, startProcess } from '../servers/server.ts';

export const CLIENTS = 64;
const REFERENCE = 'bench@live';

export interface ResolveRuns {
  readonly ceiling: readonly WrkRun[];
  readonly api: readonly WrkRun[];
}

/** `artifact serve` as users start it; the limit is far away, since here 64 clients are one token. */
export async function startApi(
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly server: Server; readonly token: string }> {
  const { token, entry } = newToken({ id: 'bench', names: ['*'] });
  const tokens = join(directory, 'tokens.json');
  writeFileSync(tokens, JSON.stringify({ tokens: [entry] }));
  const port = await freePort();
  const bin = join(repository, 'bin', 'bucketwright.cjs');
  const server = await startProcess({
    id: 'ours',
    label: 'artifact serve',
    port,
    command: process.execPath,
    args: [bin, 'artifact', 'serve', '--tokens', tokens, '--api', `127.0.0.1:${port}`, '--rate', '999999'],
    env: environment,
    cwd: directory,
    directory,
  });
  return { server, token: token.reveal() };
}

/** The same requests to both, in turns. */
export async function measureResolve(
  api: { readonly port: number; readonly token: string },
  ceiling: number,
  directory: string,
  rounds: number,
  seconds: number,
): Promise<ResolveRuns> {
  const file = join(directory, 'resolve.txt');
  const target = `/v1/resolve?reference=${encodeURIComponent(REFERENCE)}`;
  const lines = ['GET', '0', 'cycle', 'Host: 127.0.0.1', '', `${target}\tBearer ${api.token}`];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const runs = { ceiling: [] as WrkRun[], api: [] as WrkRun[] };
  // Compiled and connected before anything counts.
  await runWrk(api.port, file, CLIENTS, 1);
  await runWrk(ceiling, file, CLIENTS, 1);
  for (let round = 0; round < rounds; round += 1) {
    runs.ceiling.push(await runWrk(ceiling, file, CLIENTS, seconds));
    runs.api.push(await runWrk(api.port, file, CLIENTS, seconds));
  }
  return runs;
}
