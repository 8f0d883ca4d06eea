import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from '../../core/errors.ts';
import { makeDirectoryDurably } from '../../fs/durable.ts';
import type { CliContext } from '../context.ts';
import { installedFile } from '../installation.ts';
import { findRunning, type RunningRecord } from './pid-file.ts';

const START_MS = 60_000;

/**
 * Starts `bucketwright serve` as a process of its own that outlives this one, its log in `server.log` of the data
 * directory (bounded, see `bounded-log.ts`), and waits until it has recorded itself, which it does once it answers.
 * @param args further arguments to serve
 * @param environment of the new process
 * @throws HostError with the end of its log when it ends or takes over a minute
 */
export async function startDetached(
  data: string,
  args: readonly string[],
  environment: CliContext['environment'],
): Promise<RunningRecord> {
  await makeDirectoryDurably(data);
  const log = join(data, 'server.log');
  const output = openSync(log, 'a', 0o600);
  const from = readFileSync(log).length;
  const child = spawn(
    process.execPath,
    [installedFile('bin/bucketwright.cjs'), 'serve', `--log-file=${log}`, ...args],
    {
      detached: true,
      // It outlives whoever started us, npx as well (see signals.ts).
      env: { ...environment, npm_lifecycle_event: undefined },
      stdio: ['ignore', output, output],
    },
  );
  closeSync(output);
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  child.unref();
  const deadline = Date.now() + START_MS;
  while (!ended && Date.now() < deadline) {
    const running = await findRunning(data);
    if (running !== undefined && running.pid === child.pid) return running;
    await sleep(50);
  }
  if (!ended) child.kill('SIGTERM');
  const said = readFileSync(log).subarray(from).toString('utf8').trim().split('\n').slice(-3).join(' | ');
  throw new HostError('host', `the server ${ended ? 'ended at once' : 'did not start within a minute'}: ${said}`, {
    subject: log,
    advice: `${log} has everything it said`,
  });
}
