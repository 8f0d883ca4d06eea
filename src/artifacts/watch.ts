import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve as absolute, basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE, SECOND } from '../core/durations.ts';
import { BucketwrightError, systemErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { writeFileDurably } from '../fs/durable.ts';
import { ArtifactError } from './errors.ts';
import type { Artifact } from './model.ts';
import { formatReference, type Reference } from './names.ts';
import { pull } from './pull.ts';
import type { ArtifactSource, Found } from './source.ts';

export interface WatchRequest {
  readonly reference: Reference & { readonly by: 'channel' };
  readonly target: string;
  /** Program and arguments, without a shell; run after each pull, with `BUCKETWRIGHT_ARTIFACT_…` in its environment. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Called before anything is put into place; throws to refuse. */
  readonly admit?: ((artifact: Artifact) => Promise<void>) | undefined;
  /** End after the first success. */
  readonly once?: boolean | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const LONGEST_WAIT = 5 * MINUTE;

/**
 * Keeps a target at what a channel says: pull, then the command; a failure of either is tried again, later each time, up to
 * 5 minutes. What was done is remembered beside the target once the command has ended well, so that a restart neither
 * forgets nor repeats it.
 */
export async function watch(source: ArtifactSource, request: WatchRequest): Promise<void> {
  const { reference, target, log, signal, interval } = request;
  const subject = formatReference(reference);
  const memory = join(dirname(absolute(target)), `.${basename(target)}.watch`);
  let done = await remembered(memory);
  let failures = 0;
  let known: Found | undefined;
  while (!signal.aborted) {
    try {
      const patience = known === undefined ? undefined : { known, milliseconds: MINUTE, signal };
      const found = await source.resolve(reference, patience);
      const { artifact } = found;
      if (artifact.digest !== done) {
        await request.admit?.(artifact);
        const { path } = await pull(source, { artifact, target, signal });
        log.info({ version: artifact.version, digest: artifact.digest, path }, `${subject} is in place`);
        if (request.command.length > 0) await runCommand(request, artifact, path);
        await writeFileDurably(memory, `${artifact.digest}\n`, 0o644);
        done = artifact.digest;
      }
      // Only once all is done: what failed is not waited for, but tried again.
      known = found;
      failures = 0;
      if (request.once === true) return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BucketwrightError)) throw error;
      failures += 1;
      const { code, advice } = error;
      log.warn({ code, advice, failures }, `${subject}: ${error.message}`);
    }
    await sleep(waitFor(interval, failures), undefined, { signal }).catch(() => {});
  }
}

/** Doubles with each failure, from at least a second; a tenth more or less, so that many nodes do not come at once. */
export function waitFor(interval: number, failures: number, random: () => number = Math.random): number {
  const base =
    failures === 0 ? interval : Math.min(LONGEST_WAIT, Math.max(interval, SECOND) * 2 ** Math.min(failures, 20));
  return Math.round(base * (0.9 + 0.2 * random()));
}

async function remembered(memory: string): Promise<string | undefined> {
  try {
    return (await readFile(memory, 'utf8')).trim();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function runCommand({ command, environment, log }: WatchRequest, artifact: Artifact, path: string) {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...environment,
      BUCKETWRIGHT_ARTIFACT_NAME: artifact.name,
      BUCKETWRIGHT_ARTIFACT_VERSION: artifact.version,
      BUCKETWRIGHT_ARTIFACT_DIGEST: artifact.digest,
      BUCKETWRIGHT_ARTIFACT_PATH: path,
    },
  });
  const ended = await new Promise<string | undefined>((done) => {
    child.once('error', (error) => done(systemErrorCode(error) ?? 'unknown'));
    child.once('exit', (code, killed) => done(code === 0 ? undefined : (killed ?? `exit code ${code}`)));
  });
  if (ended === undefined) return log.info({ program }, 'the command ended well');
  throw new ArtifactError('command-failed', `${program} failed (${ended})`, {
    subject: program,
    advice: 'it is run again, later each time; the new content stays in place',
  });
}
