import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { notInstalled, program } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { type Call, finishedTrace, parseTrace, traceArguments } from './trace.ts';

const MiB = 1024 * 1024;
const strace = program('strace');

/** Tracing may be forbidden even where strace is installed (containers, hardened kernels). */
function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'strace is for Linux only';
  if (strace === undefined) return notInstalled('strace');
  try {
    execFileSync(strace, ['-f', '-o', '/dev/null', '/bin/true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `strace may not trace here: ${String(error)}`;
  }
}

interface Traced {
  readonly data: string;
  readonly calls: readonly Call[];
  /** The answers in the order of the requests: inline PUT, 1 MiB PUT, two parts, the completion. */
  readonly answers: readonly Call[];
}

const REQUESTS = ['bucket', 'inline', 'large', 'begin', 'part 1', 'part 2', 'complete'] as const;
const MARK = 'these-bytes-are-in-the-index';
const SIZES = new Map([
  ['large', MiB],
  ['part 1', 5 * MiB],
  ['part 2', 100_000],
]);

/** The built server under strace, a fixed sequence of requests over one connection, and what the kernel was asked for. */
async function traced(directory: string, args: readonly string[]): Promise<Traced> {
  const data = join(directory, 'data');
  const output = join(directory, 'trace');
  await mkdir(data);
  const server = await startServer({ data, args, under: traceArguments(strace ?? '', output), readyMs: 60_000 });
  const client = new LeanClient(server, 1);
  const ok = async (method: string, target: string, body?: Buffer) => {
    const answer = await client.send(method, target, body);
    if (answer.status !== 200) throw new Error(`${method} ${target}: ${answer.status} ${answer.body.toString()}`);
    return answer;
  };
  try {
    await ok('PUT', '/trace');
    await ok('PUT', '/trace/inline', Buffer.from(MARK));
    await ok('PUT', '/trace/large', randomBytes(MiB));
    const begun = await ok('POST', '/trace/parts?uploads=');
    const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
    let xml = '';
    for (const [index, size] of [5 * MiB, 100_000].entries()) {
      const target = `/trace/parts?partNumber=${index + 1}&uploadId=${uploadId}`;
      const { etag } = await ok('PUT', target, randomBytes(size));
      xml += `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`;
    }
    const body = Buffer.from(`<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`);
    await ok('POST', `/trace/parts?uploadId=${uploadId}`, body);
  } finally {
    client.close();
    await server.stop();
  }
  const calls = parseTrace(await finishedTrace(output, server.pid));
  const connection = `TCP:[127.0.0.1:${server.port}->`;
  const answers = calls.filter(({ target, text }) => target.startsWith(connection) && text.includes('"HTTP/1.1 200'));
  expect(answers).toHaveLength(REQUESTS.length);
  return { data, calls, answers };
}

const isWrite = ({ name }: Call) => /^(p?writev?2?|pwrite64)$/.test(name);
const bytesOf = (calls: readonly Call[]) => calls.reduce((sum, { result }) => sum + result, 0);

/** What one answer rests on, looked at backwards from it; each thing that does not hold is a sentence. */
class Proof {
  readonly #traced: Traced;
  readonly #window: readonly Call[];
  readonly #answer: Call;
  readonly #index: string;

  constructor(all: Traced, request: (typeof REQUESTS)[number]) {
    this.#traced = all;
    const number = REQUESTS.indexOf(request);
    const [answer, before] = [all.answers[number], all.answers[number - 1]];
    if (answer === undefined) throw new Error(`no answer to ${request}`);
    this.#answer = answer;
    // Calls that may have run after the answer's own write began prove nothing.
    this.#window = all.calls.filter(({ begin, end }) => end < answer.begin && begin > (before?.end ?? -1));
    this.#index = join(all.data, 'index/data.mdb');
  }

  /** Index pages written, synced, and then the meta page through the descriptor that writes synchronously. */
  index(after: number, mark?: string): string[] {
    const onIndex = this.#window.filter(({ target, begin }) => target === this.#index && begin > after);
    const synchronous = new Set(
      this.#traced.calls
        .filter(({ name, target, text }) => name === 'openat' && target === this.#index && text.includes('O_DSYNC'))
        .map(({ result }) => result),
    );
    const isMeta = (call: Call) => isWrite(call) && call.descriptor !== undefined && synchronous.has(call.descriptor);
    const pages = onIndex.filter((call) => isWrite(call) && !isMeta(call));
    const page = pages.find(({ text }) => mark === undefined || text.includes(mark));
    const lastPage = Math.max(...pages.map(({ end }) => end));
    const sync = onIndex.find(({ name, begin }) => name === 'fdatasync' && begin > lastPage);
    const meta = onIndex.find((call) => isMeta(call) && sync !== undefined && call.begin > sync.end);
    return [
      ...(page === undefined ? ['no index page was written'] : []),
      ...(sync?.result === 0 ? [] : ['the index pages were not synced']),
      ...(meta === undefined || meta.result <= 0 ? ['the meta page was not written synchronously'] : []),
    ];
  }

  /** A new file, its directory's fsync, all its bytes and their fdatasync; after all of that the index. */
  body(size: number): string[] {
    const made = this.#window.filter(
      ({ name, target, text }) => name === 'openat' && target.includes('/bodies/') && /O_CREAT\|O_EXCL/.test(text),
    );
    const [file] = made;
    if (file === undefined || made.length !== 1) return [`${made.length} new body files`];
    const of = (path: string) => this.#window.filter((call) => call.target === path);
    const writes = of(file.target).filter((call) => isWrite(call) && call.begin > file.end);
    const written = Math.max(...writes.map(({ end }) => end));
    const sync = of(file.target).find(({ name, begin }) => /^f(data)?sync$/.test(name) && begin > written);
    const entry = of(dirname(file.target)).find(({ name, begin }) => name === 'fsync' && begin > file.end);
    return [
      ...(bytesOf(writes) === size ? [] : [`${bytesOf(writes)} bytes of the body were written before the answer`]),
      ...(sync?.result === 0 ? [] : ['the body was not synced']),
      ...(entry?.result === 0 ? [] : ["the body's directory was not synced"]),
      ...this.index(Math.max(sync?.end ?? written, entry?.end ?? written)),
    ];
  }

  /** The directories and index files that the answer rests on are themselves entered in synced directories. */
  directories(): string[] {
    const { calls, data } = this.#traced;
    const before = calls.filter(({ end }) => end < this.#answer.begin);
    const made = before.filter(
      ({ name, target, result, text }) =>
        result >= 0 &&
        (target.startsWith(`${data}/bodies`) || target.startsWith(`${data}/index`)) &&
        (/^mkdir/.test(name) || (target === this.#index && text.includes('O_CREAT'))),
    );
    return [...new Set(made.map(({ target }) => target))].flatMap((path) => {
      const first = made.find(({ target }) => target === path);
      const synced = before.some(
        ({ name, target, begin }) => name === 'fsync' && target === dirname(path) && begin > (first?.end ?? 0),
      );
      return synced ? [] : [`the entry of ${path.slice(data.length + 1)} was not synced`];
    });
  }
}

const reason = whyNot();
skipUnless(reason === undefined, reason ?? '')('what the kernel saw before a 200', () => {
  it('strict: every byte and every name on the disk, bodies before the index', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory('strace');
    const all = await traced(directory.path, []);
    expect(new Proof(all, 'bucket').index(-1)).toEqual([]);
    expect(new Proof(all, 'inline').index(-1, MARK)).toEqual([]);
    for (const request of ['large', 'part 1', 'part 2'] as const) {
      expect(new Proof(all, request).body(SIZES.get(request) ?? 0), request).toEqual([]);
    }
    // Completing writes no body: it is one commit over parts that are safe already.
    expect(new Proof(all, 'complete').index(-1)).toEqual([]);
    for (const request of REQUESTS) expect(new Proof(all, request).directories(), request).toEqual([]);
  });

  it('relaxed: the same look at the same requests finds what is missing', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory('strace');
    const all = await traced(directory.path, ['--durability', 'relaxed']);
    expect(new Proof(all, 'large').body(MiB)).toContain('the body was not synced');
    expect(new Proof(all, 'large').body(MiB)).toContain("the body's directory was not synced");
    expect(new Proof(all, 'inline').index(-1, MARK)).not.toEqual([]);
    const ofBody = /\/bodies\/.*\/[0-9a-f]{8}\/[0-9a-f]{8}$/;
    expect(all.calls.filter(({ name, target }) => /^f(data)?sync$/.test(name) && ofBody.test(target))).toEqual([]);
  });
});
