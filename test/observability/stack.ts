import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { renderLokiFilesystem, renderLokiS3 } from '../../src/observability/loki/render.ts';
import { renderTempo } from '../../src/observability/tempo/render.ts';
import type { VerifyInput } from '../../src/observability/verify/index.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import { parseSettings, type Settings } from '../../src/settings/index.ts';
import { renderCredentialsFile, stackModel } from '../../src/stack/index.ts';
import { cleanEnvironment, type S3Endpoint } from '../support/endpoint.ts';
import { freePorts } from '../support/ports.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { lokiBinary, tempoBinary } from './binaries.ts';

/** Settings for an S3 endpoint of a test; without one: the filesystem. */
export function settingsOf(endpoint: S3Endpoint | undefined, extra: Readonly<Record<string, string>> = {}): Settings {
  const s3 =
    endpoint === undefined
      ? {}
      : {
          S3_ENDPOINT: endpoint.url,
          S3_INSECURE: 'true',
          S3_REGION: endpoint.region,
          S3_ACCESS_KEY_ID: endpoint.accessKeyId,
          S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
          S3_PROVIDER: 'embedded',
        };
  return parseSettings({ environment: { ...s3, ...extra } });
}

/** What `observability verify` would be told for these settings. */
export function inputOf(settings: Settings, addresses: Partial<VerifyInput>): VerifyInput {
  const connection = settings.storage.kind === 's3' ? resolveConnection(settings.storage) : undefined;
  const nowhere = 'http://127.0.0.1:9';
  return {
    loki: nowhere,
    tempo: nowhere,
    otlp: nowhere,
    tenant: undefined,
    connection,
    buckets: settings.buckets,
    wait: 120_000,
    ...addresses,
  };
}

export interface RunningProgram extends AsyncDisposable {
  readonly url: string;
  /** Tempo's receiver. */
  readonly otlp: string;
  output(): string;
}

/** How a program is started, where the settings alone do not say. */
export interface StartOptions {
  /** Its configuration. Default: what is rendered for the settings. */
  readonly text?: string;
  /** Where it keeps its data, which stays when it stops. Default: a temporary directory. */
  readonly data?: string;
}

/** The real Loki with the rendered file, its paths and ports changed for a test on loopback. */
export async function startLoki(settings: Settings, options: StartOptions = {}): Promise<RunningProgram> {
  const model = stackModel(settings);
  const onDisk = settings.storage.kind === 'filesystem';
  const [http = 0, grpc = 0] = await freePorts(2);
  const changes = (data: string): Changes => [
    [['server', 'http_listen_address'], '127.0.0.1'],
    [['server', 'http_listen_port'], http],
    [['server', 'grpc_listen_address'], '127.0.0.1'],
    [['server', 'grpc_listen_port'], grpc],
    [['common', 'path_prefix'], data],
    [['ingester', 'wal', 'dir'], join(data, 'wal')],
    [['ingester', 'lifecycler', 'min_ready_duration'], '0s'],
    [['compactor', 'working_directory'], join(data, 'compactor')],
    [['storage_config', 'object_store', 'filesystem', 'dir'], join(data, 'chunks'), 'where it is'],
  ];
  const text = options.text ?? (onDisk ? renderLokiFilesystem(model) : renderLokiS3(model));
  return start({ name: 'Loki', binary: lokiBinary, settings, text, changes, http, otlp: 0, data: options.data });
}

/** The real Tempo, likewise. */
export async function startTempo(settings: Settings, options: StartOptions = {}): Promise<RunningProgram> {
  const onDisk = settings.storage.kind === 'filesystem';
  const [http = 0, grpc = 0, otlpHttp = 0, otlpGrpc = 0] = await freePorts(4);
  const receiver = ['distributor', 'receivers', 'otlp', 'protocols'];
  const changes = (data: string): Changes => [
    [['server', 'http_listen_address'], '127.0.0.1'],
    [['server', 'http_listen_port'], http],
    [['server', 'grpc_listen_address'], '127.0.0.1'],
    [['server', 'grpc_listen_port'], grpc],
    [[...receiver, 'grpc', 'endpoint'], `127.0.0.1:${otlpGrpc}`],
    [[...receiver, 'http', 'endpoint'], `127.0.0.1:${otlpHttp}`],
    [['live_store', 'wal', 'path'], join(data, 'live')],
    [['live_store', 'shutdown_marker_dir'], join(data, 'marker')],
    [['backend_scheduler', 'local_work_path'], join(data, 'scheduler')],
    [['storage', 'trace', 'wal', 'path'], join(data, 'wal')],
    // so that a test need not wait a minute for what the store has
    [['storage', 'trace', 'blocklist_poll'], '5s'],
    [['storage', 'trace', 'local', 'path'], join(data, 'blocks'), 'where it is'],
  ];
  const text = options.text ?? renderTempo(stackModel(settings), onDisk ? 'local' : 's3');
  const { data } = options;
  return start({ name: 'Tempo', binary: tempoBinary, settings, text, changes, http, otlp: otlpHttp, data });
}

/** `where it is`: only where the file has the key. */
type Changes = readonly (readonly [path: readonly string[], value: string | number, only?: 'where it is'])[];

interface Start {
  readonly name: string;
  readonly binary: string | undefined;
  readonly settings: Settings;
  readonly text: string;
  readonly changes: (data: string) => Changes;
  readonly http: number;
  readonly otlp: number;
  readonly data: string | undefined;
}

async function start({ name, binary, settings, text, changes, http, otlp, data }: Start): Promise<RunningProgram> {
  const { storage } = settings;
  const directory = await temporaryDirectory(name.toLowerCase());
  const document = parseDocument(text);
  for (const [path, value, only] of changes(data ?? directory.path)) {
    if (only === undefined || document.hasIn([...path])) document.setIn([...path], value);
  }
  const file = join(directory.path, 'config.yml');
  await writeFile(file, document.toString());
  const keys = join(directory.path, 'credentials');
  if (storage.kind === 's3') await writeFile(keys, renderCredentialsFile(storage.credentials), { mode: 0o600 });
  const env = cleanEnvironment(storage.kind === 's3' ? { AWS_SHARED_CREDENTIALS_FILE: keys } : {});
  const child = spawn(binary ?? '', [`-config.file=${file}`], { cwd: directory.path, env });
  let output = '';
  const note = (bytes: Buffer) => {
    output = (output + bytes.toString('utf8')).slice(-20_000);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  const url = `http://127.0.0.1:${http}`;
  const stop = async () => {
    await end(child);
    await directory.remove();
  };
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${url}/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return { url, otlp: `http://127.0.0.1:${otlp}`, output: () => output, [Symbol.asyncDispose]: stop };
    await sleep(100);
  }
  await stop();
  throw new Error(`${name} did not become ready:\n${output}`);
}

/** Tempo often does not end on SIGTERM; by then its data is safe, and a test's is thrown away. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await gone;
  clearTimeout(late);
}
