import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerId } from '../plan.ts';

/** The key pair every server is given, or accepts; it guards throw-away data on loopback. */
export const credentials = {
  accessKeyId: 'BENCH00000000000000A',
  secretAccessKey: 'bench-loopback-only-000000000000000000000',
};
export const region = 'us-east-1';

/** A running server under measurement. */
export interface Server {
  readonly id: ServerId;
  /** What was started, with its version. */
  readonly label: string;
  readonly port: number;
  /** Roots of its process tree. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** The server cannot be had on this machine; it is reported and left out. */
export class ServerUnavailable extends Error {}

export interface StartOptions {
  /** A fresh directory of this server's own. */
  readonly directory: string;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise<void>((resolve) => {
    probe.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('no port to be had on 127.0.0.1');
  return address.port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  const killed = await Promise.race([gone.then(() => false), delay(10_000, true, { ref: false })]);
  if (killed) {
    child.kill('SIGKILL');
    await gone;
  }
}

export interface ProcessOptions {
  readonly id: ServerId;
  readonly label: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes, as `ID.log`. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Starts one process and waits, at most 30 s, until its port accepts connections.
 * @throws {ServerUnavailable} when it exits or stays silent; the message ends with its last lines of output.
 */
export async function startProcess(options: ProcessOptions): Promise<Server> {
  const log = join(options.directory, `${options.id}.log`);
  const output = openSync(log, 'a');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `it exited with ${signal ?? code}`;
  });
  for (let waited = 0; waited < 30_000 && failure === undefined; waited += 50) {
    if (child.pid !== undefined && (await accepts(options.port))) {
      return {
        id: options.id,
        label: options.label,
        port: options.port,
        pids: [child.pid],
        stop: () => stopChild(child),
      };
    }
    await delay(50);
  }
  await stopChild(child);
  const tail = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n');
  throw new ServerUnavailable(`${options.id}: ${failure ?? 'no answer within 30 s'}\n${tail}`);
}
