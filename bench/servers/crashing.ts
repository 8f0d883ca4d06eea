/** The built server as recovery and growth are measured with it: started against a clock, killed in the middle of writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KiB, MiB } from '../../src/core/sizes.ts';
import { signer, unsignedPayload } from '../drive/sign.ts';
import { Connection } from '../drive/socket.ts';
import { repository } from '../paths.ts';
import { credentials, freePort, region } from './server.ts';

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first 200 of `/readyz`. */
  readonly milliseconds: number;
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

/** The built command line on that data, and how long it took from its start to ready. */
export async function start(data: string, args: readonly string[] = []): Promise<Started> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const began = performance.now();
  const child = spawn(process.execPath, [join(repository, 'bin', 'bucketwright.cjs'), 'serve', ...args], {
    cwd: data,
    env: {
      ...process.env,
      BUCKETWRIGHT_DATA: data,
      BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`,
      BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      S3_ACCESS_KEY_ID: credentials.accessKeyId,
      S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      S3_REGION: region,
    },
    stdio: 'ignore',
  });
  for (let attempt = 0; attempt < 30_000; attempt += 1) {
    if (child.pid !== undefined && (await isReady(adminPort))) {
      return { child, pid: child.pid, port, milliseconds: performance.now() - began };
    }
    if (child.exitCode !== null) throw new Error(`serve on ${data} ended with ${child.exitCode}`);
    await sleep(1);
  }
  child.kill('SIGKILL');
  throw new Error(`serve on ${data} did not become ready`);
}

export async function stop({ child }: Started): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/**
 * Kills the server while it takes writes on so many connections: what recovery finds is a crash, not a tidy end. The keys
 * stay the same ones.
 */
export async function crash({ child, port }: Started, bucket: string, connections = 32): Promise<void> {
  const by = signer(new Date(), unsignedPayload);
  let acknowledged = 0;
  const write = async (number: number): Promise<void> => {
    const target = `/${bucket}/written-at-the-crash/${number}`;
    const head = [`PUT ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize('PUT', target)}`];
    const body = Buffer.alloc(number % 2 === 0 ? KiB : MiB, 'w');
    const connection = new Connection(port);
    try {
      for (;;) {
        const { status } = await connection.request(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n`, body);
        if (status === 200) acknowledged += 1;
      }
    } catch {
      // killed
    } finally {
      connection.close();
    }
  };
  const load = Array.from({ length: connections }, (_, number) => write(number));
  for (let waited = 0; acknowledged < connections && waited < 30_000; waited += 20) await sleep(20);
  await sleep(Math.random() * 200);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await Promise.all(load);
  if (acknowledged === 0) throw new Error('the server took no write within 30 s');
}
