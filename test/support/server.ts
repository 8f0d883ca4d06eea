import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment, endpointOf, type S3Endpoint } from './endpoint.ts';
import { commandLine, repository } from './paths.ts';
import { freePorts } from './ports.ts';
import { temporaryDirectory } from './temporary.ts';

export interface ServerOptions {
  /** Data directory; without one a temporary directory is made, and removed by `stop`. */
  readonly data?: string;
  /** Further arguments to `serve`. */
  readonly args?: readonly string[];
  /** Further environment, such as settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** S3 and admin port, to come back where a predecessor was. Default: two free ones. */
  readonly ports?: readonly [number, number];
  /** A program and its arguments that runs the server as itself, such as a tracer. */
  readonly under?: readonly string[];
  /** How long `/readyz` may take. Default 30,000 ms. */
  readonly readyMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TestServer extends S3Endpoint, AsyncDisposable {
  /** Where `/healthz`, `/readyz` and `/metrics` answer. */
  readonly adminUrl: string;
  readonly adminPort: number;
  readonly pid: number;
  readonly data: string;
  /** Standard output and error so far. */
  output(): string;
  /** Resolves when the process is gone, whoever ended it. */
  readonly exited: Promise<Exit>;
  /**
   * Ends the process (SIGTERM unless told otherwise; SIGKILL after 20 s, which is then an error) and removes a
   * temporary data directory. Calling it again is harmless.
   */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/**
 * Starts the built command line as a user would, `node bin/bucketwright.cjs serve`, on two loopback ports with keys it
 * generates itself, and waits until `/readyz` says 200.
 *
 * @throws Error with the server's output where it ends or stays unready.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  if (!existsSync(join(repository, 'dist/bundle/main.js')))
    throw new Error('dist/ is missing: run `npm run build` first');
  const temporary = options.data === undefined ? await temporaryDirectory('data') : undefined;
  const data = options.data ?? temporary?.path ?? '';
  const attempts = options.ports === undefined ? 3 : 1;
  for (let attempt = 1; ; attempt++) {
    const [port = 0, adminPort = 0] = options.ports ?? (await freePorts(2));
    const started = await launch(port, adminPort, data, options);
    if (started.ready) return served(started, port, adminPort, data, async () => temporary?.remove());
    await end(started, 'SIGKILL');
    // somebody else may have bound the port in between: only then is another try honest
    if (attempt >= attempts || !/EADDRINUSE|address-in-use|in use/i.test(started.output())) {
      await temporary?.remove();
      throw new Error(
        `serve on 127.0.0.1:${port} (data ${data}) did not become ready; /readyz last said: ${started.said}\n${started.output()}`,
      );
    }
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly ready: boolean;
  /** The last answer of `/readyz`, or why there was none. */
  readonly said: string;
  output(): string;
}

async function launch(port: number, adminPort: number, data: string, options: ServerOptions): Promise<Launched> {
  const line = [...(options.under ?? []), process.execPath, commandLine, 'serve', ...(options.args ?? [])];
  const [command = process.execPath, ...args] = line;
  const child = spawn(command, args, {
    // not the checkout: a bucketwright.yaml there must not change what is tested
    cwd: data,
    env: cleanEnvironment({
      BUCKETWRIGHT_DATA: data,
      BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`,
      BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const note = (bytes: Buffer) => {
    text = (text + bytes.toString('utf8')).slice(-200_000);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  let gone = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      gone = true;
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      gone = true;
      text += `\n${error.message}`;
      resolve({ code: null, signal: null });
    });
  });
  const deadline = Date.now() + (options.readyMs ?? 30_000);
  let said = 'nothing';
  while (said !== '200' && !gone && Date.now() < deadline) {
    said = await readiness(adminPort);
    if (said !== '200') await sleep(20);
  }
  // another program's 200 on that port while ours died of it must not count
  return { child, exited, ready: said === '200' && !gone, said, output: () => text };
}

/**
 * What `/readyz` says, in words; `200` is ready. A connection of its own each time: a pool would remember the
 * predecessor that was killed on the same port.
 */
function readiness(port: number): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/readyz', agent: false, timeout: 2_000 };
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve(response.statusCode === 200 ? '200' : `${response.statusCode}: ${text.trim()}`));
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.on('error', (error) => resolve(error.message));
  });
}

async function served(
  launched: Launched,
  port: number,
  adminPort: number,
  data: string,
  cleanUp: () => Promise<void>,
): Promise<TestServer> {
  const keys = await readEnvFile(join(data, 's3.env'));
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    const exit = await end(launched, signal);
    await cleanUp();
    return exit;
  };
  return {
    ...endpointOf(
      `http://127.0.0.1:${port}`,
      keys.S3_REGION || 'us-east-1',
      keys.S3_ACCESS_KEY_ID ?? '',
      keys.S3_SECRET_ACCESS_KEY ?? '',
    ),
    adminUrl: `http://127.0.0.1:${adminPort}`,
    adminPort,
    pid: launched.child.pid ?? 0,
    data,
    output: launched.output,
    exited: launched.exited,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

async function end(launched: Launched, signal: NodeJS.Signals): Promise<Exit> {
  const { child, exited } = launched;
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return exited;
  child.kill(signal);
  const patience = new AbortController();
  const late = sleep(20_000, 'late' as const, { signal: patience.signal }).catch(() => 'late' as const);
  const first = await Promise.race([exited, late]);
  patience.abort();
  if (first !== 'late') return first;
  child.kill('SIGKILL');
  await exited;
  throw new Error(`serve (pid ${child.pid}) ignored ${signal} for 20 s:\n${launched.output()}`);
}

/** The `NAME=value` lines of a file that a shell would source; quotes around a value are dropped. */
export async function readEnvFile(path: string): Promise<Readonly<Record<string, string | undefined>>> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const match = /^(?:export\s+)?([A-Z0-9_]+)=(.*)$/.exec(line.trim());
      return match?.[1] === undefined ? [] : [[match[1], (match[2] ?? '').replace(/^(['"])(.*)\1$/, '$2')] as const];
    }),
  );
}
