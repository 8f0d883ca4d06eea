import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repository } from '../paths.ts';
import { credentials, region, type Server } from '../servers/server.ts';
import { type Measured, measure } from './measured.ts';

/** One way to back an environment up and to get it back. */
export interface Tool {
  readonly name: 'ours' | 'restic' | 'mdbx_copy';
  readonly bucket: string;
  init(): Promise<unknown>;
  /** Whole the first time, and what its kind of increment is afterwards. */
  backUp(): Promise<Measured>;
  restore(target: string): Promise<Measured>;
}

export interface Bench {
  readonly server: Server;
  /** Of a run: the environment, copies, caches. */
  readonly directory: string;
  readonly environment: string;
}

const mdbx = (name: string): string => join(repository, '.cache/mdbx', name);
export const helper = mdbx('helper');
const bin = join(repository, 'bin/bucketwright.cjs');
const passphrase = 'bench passphrase on loopback';

/** What this machine lacks for the bench, or undefined. */
export function missingTools(): string | undefined {
  if (!existsSync(helper)) return 'libmdbx: run script/setup-mdbx';
  return ['/usr/bin/restic', '/usr/bin/rclone'].find((path) => !existsSync(path));
}

export function s3Environment(server: Server): Readonly<Record<string, string>> {
  return {
    S3_ENDPOINT: `http://127.0.0.1:${server.port}`,
    S3_INSECURE: 'true',
    S3_REGION: region,
    S3_ACCESS_KEY_ID: credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    S3_BUCKET_BACKUP: 'bench-ours',
    BUCKETWRIGHT_BACKUP_PASSPHRASE: passphrase,
  };
}

/** The built command line, as a user runs it. */
export function ours({ server, directory, environment }: Bench): Tool {
  const run = (...args: string[]) =>
    measure(process.execPath, [bin, 'backup', ...args], { env: s3Environment(server), cwd: directory });
  return {
    name: 'ours',
    bucket: 'bench-ours',
    init: () => run('init'),
    backUp: () => run('run', 'node', environment, '--method', 'reader', '--scratch', directory, '--json'),
    restore: (target) => run('restore', 'node', target),
  };
}

export interface Running {
  readonly stdout: Readable;
  stop(): Promise<void>;
}

/** Ours, again and again until it is stopped; each snapshot is a line of JSON. */
export function startContinuous({ server, directory, environment }: Bench, every: string): Running {
  const args = [bin, 'backup', 'run', 'node', environment, '--method', 'reader', '--scratch', directory];
  const child = spawn(process.execPath, [...args, '--every', every, '--json'], {
    env: { ...process.env, ...s3Environment(server) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  return {
    stdout: child.stdout,
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** Debian's, with its defaults: repository version 2, compression auto. Its cache lies in the run's directory. */
export function restic({ server, directory, environment }: Bench): Tool {
  const env = {
    RESTIC_REPOSITORY: `s3:http://127.0.0.1:${server.port}/bench-restic`,
    RESTIC_PASSWORD: passphrase,
    RESTIC_CACHE_DIR: join(directory, 'restic-cache'),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: region,
  };
  const run = (...args: string[]) => measure('/usr/bin/restic', args, { env });
  return {
    name: 'restic',
    bucket: 'bench-restic',
    init: () => run('init'),
    backUp: () => run('backup', '--quiet', environment),
    restore: (target) => run('restore', 'latest', '--quiet', '--target', target),
  };
}

/** What is done without a tool: libmdbx's copy, and an upload of it by rclone. No history, no encryption. */
export function copyAndUpload({ server, directory, environment }: Bench): Tool {
  const config = join(directory, 'rclone.conf');
  const copy = join(directory, 'copy.mdbx');
  const rclone = (...args: string[]) =>
    // It refuses the bundle of certificates that some machines name, and needs none here.
    measure('/usr/bin/rclone', ['--config', config, ...args], { env: { AWS_CA_BUNDLE: '' } });
  return {
    name: 'mdbx_copy',
    bucket: 'bench-copy',
    async init() {
      writeFileSync(
        config,
        `[s3]\ntype = s3\nprovider = Other\nendpoint = http://127.0.0.1:${server.port}\nregion = ${region}\naccess_key_id = ${credentials.accessKeyId}\nsecret_access_key = ${credentials.secretAccessKey}\nforce_path_style = true\n`,
        { mode: 0o600 },
      );
      await rclone('mkdir', 's3:bench-copy');
    },
    async backUp() {
      rmSync(copy, { force: true });
      const copied = await measure(mdbx('mdbx_copy'), ['-q', environment, copy]);
      const sent = await rclone('copyto', copy, 's3:bench-copy/environment');
      rmSync(copy, { force: true });
      return added(copied, sent);
    },
    async restore(target) {
      mkdirSync(target, { recursive: true });
      return rclone('copyto', 's3:bench-copy/environment', join(target, 'environment'));
    },
  };
}

function added(a: Measured, b: Measured): Measured {
  return {
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    rss: Math.max(a.rss, b.rss),
    stdout: b.stdout,
  };
}

/** A digest of all that libmdbx finds in an environment's table, by its own dump. */
export async function contentDigest(path: string): Promise<string> {
  const { stdout } = await measure('/bin/sh', [
    '-c',
    '"$0" -s documents "$1" | LC_ALL=C grep -v "^[a-z]" | sha256sum',
    mdbx('mdbx_dump'),
    path,
  ]);
  return stdout.slice(0, 64);
}
