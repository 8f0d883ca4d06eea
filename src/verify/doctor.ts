import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { formatBytes, GiB } from '../core/sizes.ts';
import { diskSpace } from '../fs/free-space.ts';
import {
  declarations,
  formatListenAddress,
  type ListenAddress,
  type Settings,
  SettingsError,
  suggest,
} from '../settings/index.ts';
import { CheckFailed, check, skipped } from './check.ts';
import { checkClock, checkReachable, checkTls } from './network.ts';

export interface DoctorInput {
  readonly settings: Settings | SettingsError;
  /** Such as `20.19.4`. */
  readonly nodeVersion: string;
  /** The names of the environment's variables, to find mistyped ones. */
  readonly variables: readonly string[];
  /** The server that runs on the data directory, as its pid file says. */
  readonly running: { readonly pid: number } | undefined;
}

const MINIMUM_NODE = [20, 19] as const;

/** Looks at this machine: what a server or a client of ours needs here. Changes nothing. */
export async function* doctor(input: DoctorInput): AsyncGenerator<Finding> {
  yield checkNode(input.nodeVersion);
  yield* checkVariables(input.variables);
  if (input.settings instanceof SettingsError) {
    for (const { name, origin, problem, example } of input.settings.problems) {
      const advice = example === undefined ? 'docs/reference/settings.md describes it' : `for example ${example}`;
      yield { id: 'settings', status: 'fail', subject: `${name} (${origin})`, found: problem, advice };
    }
    return;
  }
  const { server, storage } = input.settings;
  yield { id: 'settings', status: 'ok', subject: storage.kind, found: 'all settings are well-formed' };
  yield await checkDataDirectory(server.data);
  yield await checkSpace(server.data);
  yield await checkFormat(server.data);
  yield await checkKeyFile(join(server.data, 's3.env'));
  yield await checkPort('listen-port', server.listen, input.running);
  yield await checkPort('admin-port', server.adminListen, input.running);
  if (storage.kind === 'filesystem') return yield skipped('reachable', 'filesystem', storage.notice);
  const reachable = await checkReachable(storage.endpoint);
  yield reachable;
  if (reachable.status === 'fail') return;
  yield await checkTls(storage.endpoint);
  yield await checkClock(storage.endpoint);
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
  const finding = { id: 'node', subject: 'Node.js', found: version };
  return enough
    ? { ...finding, status: 'ok' }
    : { ...finding, status: 'fail', expected: `at least ${MINIMUM_NODE.join('.')}`, advice: 'install a newer Node.js' };
}

/** S3_SECRET_KEY and its like are silently nothing to everybody else; here they are said. */
function* checkVariables(variables: readonly string[]): Generator<Finding> {
  const known = new Set(declarations.flatMap(({ env }) => [env, `${env}_FILE`]));
  for (const name of ['BUCKETWRIGHT_CONFIG', 'BUCKETWRIGHT_DEBUG']) known.add(name);
  for (const name of variables) {
    if (!/^(?:S3|BUCKETWRIGHT|RETENTION)_/.test(name) || known.has(name)) continue;
    const near = suggest(name, known);
    const advice = near === undefined ? 'docs/reference/settings.md lists every setting' : `did you mean ${near}?`;
    yield { id: 'variable', status: 'warn', subject: name, found: 'no setting has this name', advice };
  }
}

function checkDataDirectory(data: string): Promise<Finding> {
  const facts = {
    id: 'data-directory',
    subject: data,
    expected: 'a directory that this user may write, or a place where it can be made',
    why: 'the embedded server keeps everything in it',
    advice: 'set BUCKETWRIGHT_DATA, or give this user the right to write there',
  };
  return check(facts, async () => {
    const existing = await nearestExisting(resolve(data));
    if (!(await stat(existing)).isDirectory()) throw new CheckFailed(`${existing} is not a directory`);
    await access(existing, constants.W_OK | constants.X_OK).catch((error: unknown) => {
      throw new CheckFailed(`${existing} is not writable (${systemErrorCode(error) ?? 'unknown'})`);
    });
    return existing === resolve(data) ? 'writable' : `not there yet; can be made in ${existing}`;
  });
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
}

function checkSpace(data: string): Promise<Finding> {
  const facts = {
    id: 'disk-space',
    subject: data,
    expected: 'at least 1 GiB free',
    why: 'writes are refused when the disk is full',
    advice: 'make room or set BUCKETWRIGHT_DATA to another disk',
  };
  return check(facts, async () => {
    const { free } = await diskSpace(await nearestExisting(resolve(data)));
    const found = `${formatBytes(free)} free`;
    const { expected, why, advice } = facts;
    return free >= GiB ? found : { status: 'warn', found, expected, why, advice };
  });
}

async function checkFormat(data: string): Promise<Finding> {
  const path = join(data, 'FORMAT');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return skipped('data-format', path, 'no data yet');
  return { id: 'data-format', status: 'ok', subject: path, found: text.trim().slice(0, 60) };
}

async function checkKeyFile(path: string): Promise<Finding> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return skipped('key-file', path, 'not there yet; the server makes it at its first start');
  const mode = stats.mode & 0o777;
  const finding = { id: 'key-file', subject: path, found: `mode 0${mode.toString(8)}` };
  if ((mode & 0o077) === 0) return { ...finding, status: 'ok' };
  const advice = `chmod 600 ${path}`;
  return { ...finding, status: 'fail', expected: 'mode 0600', why: 'it holds the keys to every object', advice };
}

async function checkPort(id: string, address: ListenAddress, running: DoctorInput['running']): Promise<Finding> {
  const subject = formatListenAddress(address);
  const code = await new Promise<string | undefined>((done) => {
    const server = createServer();
    server.once('error', (error) => done(systemErrorCode(error) ?? 'unknown'));
    server.listen({ host: address.host, port: address.port, exclusive: true }, () =>
      server.close(() => done(undefined)),
    );
  });
  if (code === undefined) return { id, status: 'ok', subject, found: 'free' };
  if (code === 'EADDRINUSE' && running !== undefined) {
    return { id, status: 'ok', subject, found: `in use, while our server runs (pid ${running.pid})` };
  }
  const found = code === 'EADDRINUSE' ? 'another program listens there' : `cannot be listened on (${code})`;
  const setting = id === 'listen-port' ? 'BUCKETWRIGHT_LISTEN' : 'BUCKETWRIGHT_ADMIN_LISTEN';
  return { id, status: 'fail', subject, found, expected: 'a free port', advice: `stop it, or set ${setting}` };
}
