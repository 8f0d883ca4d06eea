import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repository } from '../support/paths.ts';
import { program } from '../support/programs.ts';
import { CommandFailed, type RunOptions, type RunResult, run } from '../support/run.ts';

const baseImages = ['bucketwright-test/base:local', 'container-lab/node-base:local'];

/** What a build can start from, or why there is none. */
export async function containerBase(): Promise<{ image: string } | { missing: string }> {
  if (program('docker') === undefined) return { missing: 'docker is not installed (script/setup-containers)' };
  if (!existsSync('/var/run/docker.sock')) return { missing: 'no Docker engine runs (script/setup-containers)' };
  try {
    for (const image of [process.env.TEST_BASE_IMAGE ?? '', ...baseImages].filter((name) => name !== '')) {
      if ((await docker(['image', 'inspect', image], { allow: [0, 1] })).code === 0) return { image };
    }
    return { missing: 'there is no base image (script/setup-containers)' };
  } catch (error) {
    if (error instanceof CommandFailed) return { missing: 'the Docker engine does not answer' };
    throw error;
  }
}

export function docker(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return run('docker', args, { cwd: repository, timeoutMs: 60_000, ...options });
}

/**
 * Builds the Dockerfile. The host's network lets `npm ci` reach the registry the machine is configured for. One build at a
 * time: the next test file then finds every layer in the engine's cache.
 */
export async function buildImage(tag: string, baseImage: string): Promise<void> {
  const args = ['build', '--network=host', '--build-arg', `BASE_IMAGE=${baseImage}`, '-t', tag, '.'];
  await run('flock', [join(tmpdir(), 'bucketwright-test-build.lock'), 'docker', ...args], {
    cwd: repository,
    timeoutMs: 900_000,
  });
}

export interface Container extends AsyncDisposable {
  readonly name: string;
  /** The loopback port that `9000` was published on. */
  readonly port: number;
  /** Waits for the image's own health check to say `healthy`. */
  healthy(): Promise<void>;
  exec(...command: string[]): Promise<RunResult>;
  logs(): Promise<string>;
}

/** Runs an image in the background with `9000` on a free loopback port; disposing removes the container. */
export async function runContainer(name: string, args: readonly string[]): Promise<Container> {
  await docker(['run', '--detach', '--name', name, '--publish', '127.0.0.1::9000', ...args]);
  const logs = async () => {
    const { stdout, stderr } = await docker(['logs', name]);
    return stdout + stderr;
  };
  const published = await docker(['port', name, '9000/tcp'], { allow: [0, 1] });
  return {
    name,
    port: Number(/:(\d+)$/m.exec(published.stdout)?.[1]),
    logs,
    exec: (...command) => docker(['exec', name, ...command]),
    healthy: async () => {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const { stdout } = await docker(['inspect', '-f', '{{.State.Status}} {{.State.Health.Status}}', name]);
        if (stdout.trim() === 'running healthy') return;
        if (Date.now() > deadline || !stdout.startsWith('running')) {
          throw new Error(`container ${name} is ${stdout.trim()}:\n${await logs()}`);
        }
        await sleep(250);
      }
    },
    [Symbol.asyncDispose]: async () => void (await docker(['rm', '--force', '--volumes', name])),
  };
}
