import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, systemErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { syncDirectory, writeFileDurably } from '../fs/durable.ts';

/** The layout of a data directory: `FORMAT`, `LOCK`, `index/` (LMDB), `bodies/`, `pins/`. */
export const CURRENT_FORMAT = 2;

/** Whether a directory of that name in a data directory is the store's own. */
export function isStoreDirectory(name: string): boolean {
  return name === 'bodies' || name === 'pins' || name === 'index' || name.startsWith('index.');
}

/** One step forward. Runs on a closed index, may be repeated after a crash, and touches nothing but the data directory. */
export interface Migration {
  /** Takes a directory of this format to the next. */
  readonly from: number;
  /** Changes nothing that is there: no copy of the index is kept meanwhile. */
  readonly onlyAdds?: boolean;
  run(directory: string): Promise<void>;
}

export const migrations: readonly Migration[] = [
  // 2 has configurations of buckets and versions of objects: databases of their own, which an older program would not
  // look into, and so would neither refuse what a policy forbids nor keep what a version is kept for.
  { from: 1, onlyAdds: true, run: async () => {} },
];

/**
 * Makes `directory` one of format `current`: writes the mark into a new one, migrates an older one (keeping a copy of its
 * index until every step has ended), refuses a newer one.
 * @throws HostError `data-directory-format`
 */
export async function prepareFormat(
  directory: string,
  logger: Logger,
  current = CURRENT_FORMAT,
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const found = await readFormat(directory);
  if (found === undefined) {
    await assertNew(directory);
    await writeFormat(directory, current);
    return;
  }
  if (found > current) {
    throw new HostError(
      'data-directory-format',
      `${directory} has format ${found}, this program knows up to ${current}`,
      {
        subject: directory,
        advice: 'start the newer version of bucketwright that wrote it, or use another data directory',
      },
    );
  }
  if (found < current) await migrate(directory, found, current, steps, logger);
}

async function migrate(
  directory: string,
  found: number,
  current: number,
  steps: readonly Migration[],
  logger: Logger,
): Promise<void> {
  const copy = join(directory, `index.before-format-${current}`);
  const passed = steps.filter((step) => step.from >= found && step.from < current);
  const keepsCopy = !passed.every((step) => step.onlyAdds === true);
  // A copy that is there already is the older one: an earlier run was interrupted after it had begun to change the index.
  if (keepsCopy && !(await exists(copy))) {
    const partial = `${copy}.partial`;
    await rm(partial, { recursive: true, force: true });
    await cp(join(directory, 'index'), partial, { recursive: true });
    await rename(partial, copy);
    await syncDirectory(directory);
  }
  for (let format = found; format < current; format += 1) {
    const step = steps.find((candidate) => candidate.from === format);
    if (step === undefined) {
      throw new HostError('data-directory-format', `there is no way from format ${format} to ${format + 1}`, {
        subject: directory,
        advice: 'start an older version of bucketwright once: it takes the directory part of the way',
      });
    }
    logger.info({ from: format, to: format + 1 }, 'migrating the data directory');
    await step.run(directory);
    await writeFormat(directory, format + 1);
  }
  await rm(copy, { recursive: true, force: true });
}

async function readFormat(directory: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, 'FORMAT'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const format = parseFormat(text);
  if (format === undefined) {
    throw new HostError('data-directory-format', `${join(directory, 'FORMAT')} is not a format mark`, {
      subject: directory,
      advice: 'name a directory that bucketwright made, or an empty one',
    });
  }
  return format;
}

/** The number in a format mark; undefined: it is none. */
export function parseFormat(text: string): number | undefined {
  const match = /^bucketwright format (\d+)\n?$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

async function writeFormat(directory: string, format: number): Promise<void> {
  await writeFileDurably(join(directory, 'FORMAT'), `bucketwright format ${format}\n`);
}

/** An index or bodies without a mark belong to something that went wrong, or to another program: hands off. */
async function assertNew(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const entries = await readdir(directory);
  const foreign = entries.find((name) => name === 'index' || name === 'bodies');
  if (foreign === undefined) return;
  throw new HostError('data-directory-format', `${directory} holds ${foreign}/ but no FORMAT mark`, {
    subject: directory,
    advice: 'if FORMAT was lost, restore it from a backup; otherwise use another data directory',
  });
}

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}
