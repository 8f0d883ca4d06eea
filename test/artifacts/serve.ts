import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Token } from '../../src/control/tokens.ts';
import { cleanEnvironment, type S3Endpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { run } from '../support/run.ts';

export interface ServedApi extends AsyncDisposable {
  readonly url: string;
  /** What it wrote to its log so far. */
  log(): string;
}

/** The settings by which the command line reaches a bucket of artifacts. */
export function settingsFor(endpoint: S3Endpoint, provider: string, bucket: string): Record<string, string> {
  return {
    S3_ENDPOINT: endpoint.url,
    S3_INSECURE: 'true',
    S3_PROVIDER: provider,
    S3_REGION: endpoint.region,
    S3_ACCESS_KEY_ID: endpoint.accessKeyId,
    S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
    S3_BUCKET_ARTIFACTS: bucket,
  };
}

/** The built `artifact serve`, as a user would start it. @param directory for its file of tokens */
export async function serveApi(
  settings: Readonly<Record<string, string>>,
  directory: string,
  tokens: readonly Token[],
  args: readonly string[] = [],
): Promise<ServedApi> {
  const file = join(directory, 'tokens.json');
  await writeFile(file, JSON.stringify({ tokens }));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    [commandLine, 'artifact', 'serve', '--tokens', file, '--api', `127.0.0.1:${port}`, '--rate', '1000', ...args],
    { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], env: cleanEnvironment(settings) },
  );
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = new Promise((done) => child.once('exit', done));
  const stop = async () => {
    child.kill();
    await exited;
  };
  for (let attempt = 0; (await statusOf(`${url}/healthz`)) !== 200; attempt += 1) {
    if (attempt > 300 || child.exitCode !== null) {
      await stop();
      throw new Error(`artifact serve did not become ready: ${log}`);
    }
    await sleep(100);
  }
  return { url, log: () => log, [Symbol.asyncDispose]: stop };
}

const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    ({ status }) => status,
    () => 0,
  );

/** One run of the built command line; without settings it has no S3 at all. */
export async function artifact(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run(process.execPath, [commandLine, 'artifact', ...args], {
    env: cleanEnvironment(settings),
  });
  return stdout;
}
