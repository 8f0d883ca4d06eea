import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { HostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { identityOf } from '../fs/process-identity.ts';
import type { Failure, FromMember, MemberOptions, ToMember } from './messages.ts';
import type { Snapshot } from './metrics.ts';

/** Clears up behind a member that has died. */
export type Forget = (pid: number, identity: string) => Promise<void>;

interface Member {
  readonly worker: Worker;
  readonly identity: string;
  readonly loaded: Promise<void>;
  readonly exited: Promise<void>;
  serving: boolean;
}

interface Started {
  readonly options: MemberOptions;
  readonly forget: Forget;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A member that served this long counts as one that works. */
const STEADY_MS = 60_000;
/** A member that does not answer a scrape in time is left out of it. */
const SNAPSHOT_MS = 1000;

/** The processes that answer requests: started, started again when one dies, asked for their metrics, drained. */
export class Members {
  readonly #logger: Logger;
  readonly #all = new Set<Member>();
  readonly #snapshots = new Map<number, (metrics: Snapshot) => void>();
  #started: Started | undefined;
  #ending = false;
  #asked = 0;
  #delay = FIRST_DELAY_MS;

  constructor(processes: number, logger: Logger) {
    this.#logger = logger;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('./member.js', import.meta.url)),
      args: [],
      serialization: 'advanced',
    });
    for (let count = 0; count < processes; count += 1) this.#fork();
  }

  /** Whether at least one answers requests. */
  get serving(): boolean {
    return [...this.#all].some((member) => member.serving);
  }

  /**
   * Lets all of them serve.
   * @returns the URL
   * @throws HostError as the first that failed says
   */
  async serve(options: MemberOptions, forget: Forget): Promise<string> {
    const [first, ...others] = this.#all;
    if (first === undefined) throw new TypeError('a group has members');
    const { url, port } = await start(first, options);
    // A free port was asked for: all later ones are to get the same.
    const bound = { ...options, listen: { ...options.listen, port } };
    await Promise.all(others.map((member) => start(member, bound)));
    this.#started = { options: bound, forget };
    return url;
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    return Promise.all([...this.#all].filter((member) => member.serving).map((member) => this.#snapshotOf(member)));
  }

  /** Lets requests under way end; what has not ended after `graceMs` is killed. */
  async drain(graceMs: number): Promise<void> {
    this.#ending = true;
    for (const { worker } of this.#all) tell(worker, { type: 'drain' });
    const killing = setTimeout(() => this.#signalAll(), graceMs);
    await this.#ended();
    clearTimeout(killing);
  }

  async kill(): Promise<void> {
    this.#ending = true;
    this.#signalAll();
    await this.#ended();
  }

  #signalAll(): void {
    for (const { worker } of this.#all) worker.process.kill('SIGKILL');
  }

  async #ended(): Promise<void> {
    await Promise.all([...this.#all].map((member) => member.exited));
  }

  #fork(): Member {
    const worker = cluster.fork();
    const { pid } = worker.process;
    const member: Member = {
      worker,
      identity: (pid === undefined ? undefined : identityOf(pid)) ?? '',
      loaded: new Promise((resolve) => {
        worker.on('message', (message: FromMember) => {
          if (message.type === 'loaded') resolve();
          else this.#receive(message);
        });
      }),
      exited: new Promise((resolve) => worker.once('exit', () => resolve())),
      serving: false,
    };
    this.#all.add(member);
    const began = performance.now();
    worker.once('exit', (code, signal) => {
      this.#all.delete(member);
      if (this.#ending) return;
      this.#logger.error({ member: pid, code, signal }, 'a member has ended; another takes its place');
      if (performance.now() - began > STEADY_MS) this.#delay = FIRST_DELAY_MS;
      void this.#replace(pid ?? 0, member.identity);
    });
    return member;
  }

  async #replace(pid: number, identity: string): Promise<void> {
    const started = this.#started;
    if (started === undefined) return;
    await started.forget(pid, identity).catch((error: unknown) => {
      this.#logger.error({ err: error, member: pid }, 'what a dead member left could not be removed; a start will');
    });
    await new Promise((resolve) => setTimeout(resolve, this.#delay));
    this.#delay = Math.min(LONGEST_DELAY_MS, this.#delay * 2);
    if (this.#ending) return;
    // When it fails, it exits, and so is replaced in its turn.
    await start(this.#fork(), started.options).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'a member could not start');
    });
  }

  #receive(message: Exclude<FromMember, { type: 'loaded' }>): void {
    if (message.type === 'log') this.#logger[message.level](message.fields, message.message);
    else if (message.type === 'snapshot') this.#snapshots.get(message.id)?.(message.metrics);
  }

  #snapshotOf({ worker }: Member): Promise<Snapshot> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      const answer = (metrics: Snapshot) => {
        clearTimeout(late);
        this.#snapshots.delete(id);
        resolve(metrics);
      };
      const late = setTimeout(() => answer([]), SNAPSHOT_MS);
      this.#snapshots.set(id, answer);
      tell(worker, { type: 'snapshot', id });
    });
  }
}

/** @throws HostError */
async function start(member: Member, options: MemberOptions): Promise<{ readonly url: string; readonly port: number }> {
  const { worker } = member;
  const outcome = new Promise<{ readonly url: string; readonly port: number }>((resolve, reject) => {
    worker.on('message', (message: FromMember) => {
      if (message.type === 'serving') resolve(message);
      if (message.type === 'failed') reject(errorOf(message.failure));
    });
    worker.once('exit', (code, signal) => {
      reject(new HostError('host', `a process of the server ended with ${signal ?? code} before it served`));
    });
  });
  await Promise.race([member.loaded, member.exited]);
  tell(worker, { type: 'start', options });
  const served = await outcome;
  member.serving = true;
  return served;
}

function tell(worker: Worker, message: ToMember): void {
  if (worker.isConnected()) worker.send(message);
}

function errorOf({ code, message, subject, advice }: Failure): Error {
  return new HostError(code ?? 'host', message, { subject, advice });
}
