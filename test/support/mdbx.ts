import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from './paths.ts';
import { run } from './run.ts';

const tools = join(repository, '.cache/mdbx');
const tool = (name: string) => join(tools, name);

/** Where `mdbx_copy` is; for the tests of that method. */
export const mdbxCopy = tool('mdbx_copy');

/** Why there is no real libmdbx here, or undefined where there is. */
export function libmdbxMissing(): string | undefined {
  return existsSync(tool('stamp')) ? undefined : 'libmdbx is not built (script/setup-mdbx builds it)';
}

/** One commit of the writer: what it was and the checksum of everything in it. */
export interface Committed {
  readonly txnid: bigint;
  readonly counter: bigint;
  readonly sum: bigint;
}

export interface WriteOptions {
  readonly pageSize: number;
  readonly seed: number;
  readonly commits: number;
  /** Random changes in each commit. */
  readonly changes: number;
  /** Commits a second at most; 0: as fast as it goes. */
  readonly rate?: number;
  readonly mode?: 'durable' | 'nometasync' | 'nosync' | 'utterly' | 'writemap';
  /** Distinct keys a table. */
  readonly keys?: number;
  /** Of 100 changes so many delete. Default 25. */
  readonly drop?: number;
}

export function writeArguments(path: string, options: WriteOptions): readonly string[] {
  const { pageSize, seed, commits, changes, rate = 0, mode = 'durable', keys = 2000, drop = 25 } = options;
  return ['write', path, ...[pageSize, seed, commits, changes, rate].map(String), mode, String(keys), String(drop)];
}

function parseCommit(line: string): Committed {
  const [txnid = '', counter = '', sum = ''] = line.split(' ');
  return { txnid: BigInt(txnid), counter: BigInt(counter), sum: BigInt(sum) };
}

/** Writes to its end, and answers all commits. */
export async function write(path: string, options: WriteOptions): Promise<readonly Committed[]> {
  const { stdout } = await run(tool('helper'), writeArguments(path, options), { timeoutMs: 240_000 });
  return stdout.trim().split('\n').map(parseCommit);
}

export async function createEmpty(path: string, pageSize: number): Promise<void> {
  await run(tool('helper'), ['empty', path, String(pageSize)]);
}

/** Removes all content, so that the file shrinks. */
export async function clearAll(path: string): Promise<readonly Committed[]> {
  const { stdout } = await run(tool('helper'), ['clear', path]);
  return stdout.trim().split('\n').map(parseCommit);
}

/** The commit whose content an environment holds. @throws CommandFailed where content and checksum disagree */
export async function contentOf(path: string): Promise<{ readonly counter: bigint; readonly sum: bigint }> {
  const { stdout } = await run(tool('helper'), ['check', path], { timeoutMs: 120_000 });
  const [counter = '', sum = ''] = stdout.trim().split(' ');
  return { counter: BigInt(counter), sum: BigInt(sum) };
}

/** libmdbx's own checker. @throws CommandFailed with what it found */
export async function checkEnvironment(path: string): Promise<void> {
  await run(tool('mdbx_chk'), ['-q', path], { timeoutMs: 120_000 });
}

/** A table as libmdbx's own tool dumps it. */
export async function dumpByTool(path: string, table: string): Promise<string> {
  return (await run(tool('mdbx_dump'), ['-q', '-s', table, path], { timeoutMs: 120_000 })).stdout;
}

/** Makes an environment of a dump. @throws CommandFailed where the tool cannot read it */
export async function loadByTool(dump: string, path: string): Promise<void> {
  await run(tool('mdbx_load'), ['-q', '-n', '-f', dump, path], { timeoutMs: 120_000 });
}

/** Leaves no transaction number in any page but the metas, as libmdbx before 0.10 wrote them. */
export function withoutNumbers(path: string, pageSize: number): void {
  const fd = openSync(path, 'r+');
  const header = Buffer.alloc(20);
  for (let page = 3; readSync(fd, header, 0, 20, page * pageSize) === 20; page++) {
    if (header.readUInt32LE(16) === page) writeSync(fd, Buffer.alloc(8), 0, 8, page * pageSize);
  }
  closeSync(fd);
}

export interface Writer extends AsyncDisposable {
  readonly commits: readonly Committed[];
  /** Ends it after its present commit. */
  stop(): Promise<void>;
}

/** A writer that commits until it is stopped; returns after its first commit. */
export async function startWriter(path: string, options: Omit<WriteOptions, 'commits'>): Promise<Writer> {
  const child: ChildProcess = spawn(tool('helper'), writeArguments(path, { ...options, commits: 1_000_000 }), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const commits: Committed[] = [];
  if (child.stdout === null) throw new Error('no pipe');
  const lines = createInterface({ input: child.stdout });
  const ended = once(lines, 'close');
  lines.on('line', (line) => commits.push(parseCommit(line)));
  await Promise.race([once(lines, 'line'), exited]);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const [code] = await exited;
    await ended;
    if (code !== 0) throw new Error(`the writer ended with ${String(code)}`);
  };
  return { commits, stop, [Symbol.asyncDispose]: stop };
}
