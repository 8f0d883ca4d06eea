import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { identityOf } from '../fs/process-identity.ts';
import { type ListenAddress, urlOf } from './address.ts';
import { Distributor } from './distributor.ts';
import type { Failure, FromMember, MemberOptions, ToMember } from './messages.ts';
import type { Snapshot } from './metrics.ts';

/** Clears up behind a member that has died. */
export type Forget = (pid: number, identity: string) => Promise<void>;

interface Member {
  readonly child: ChildProcess;
  readonly identity: string;
  readonly loaded: Promise<void>;
  /** With what the log says of it. */
  readonly ended: Promise<object>;
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
  readonly #distributor: Distributor;
  readonly #all = new Set<Member>();
  readonly #snapshots = new Map<number, (metrics: Snapshot) => void>();
  #started: Started | undefined;
  #ending = false;
  #asked = 0;
  #delay = FIRST_DELAY_MS;

  /** @param maxConnections that wait while no member serves */
  constructor(processes: number, maxConnections: number, logger: Logger) {
    this.#logger = logger;
    this.#distributor = new Distributor(maxConnections);
    for (let count = 0; count < processes; count += 1) this.#fork();
  }

  /** Whether at least one answers requests. */
  get serving(): boolean {
    return [...this.#all].some((member) => member.serving);
  }

  /**
   * Lets all of them serve.
   * @returns the URL
   * @throws HostError as the first that failed says, or `address-in-use`, `permission`
   */
  async serve(options: MemberOptions, at: ListenAddress, forget: Forget): Promise<string> {
    await Promise.all([...this.#all].map((member) => this.#start(member, options)));
    this.#started = { options, forget };
    return urlOf(await this.#distributor.listen(at), options.tls !== undefined);
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    return Promise.all([...this.#all].filter((member) => member.serving).map((member) => this.#snapshotOf(member)));
  }

  /** Lets requests under way end; what has not ended after `graceMs` is killed. */
  async drain(graceMs: number): Promise<void> {
    this.#ending = true;
    this.#distributor.close();
    for (const { child, serving } of this.#all) {
      if (serving) tell(child, { type: 'drain' });
      // An orderly exit while lmdb opens the index may wait for ever.
      else child.kill('SIGKILL');
    }
    const killing = setTimeout(() => this.#signalAll(), graceMs);
    await this.#ended();
    clearTimeout(killing);
  }

  async kill(): Promise<void> {
    this.#ending = true;
    this.#distributor.close();
    this.#signalAll();
    await this.#ended();
  }

  #signalAll(): void {
    for (const { child } of this.#all) child.kill('SIGKILL');
  }

  async #ended(): Promise<void> {
    await Promise.all([...this.#all].map((member) => member.ended));
  }

  #fork(): Member {
    const program = fileURLToPath(new URL('./member.js', import.meta.url));
    const child = fork(program, [], { serialization: 'advanced' });
    const { pid } = child;
    const ended = new Promise<object>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.on('error', (error) => {
        // Other errors are of messages to a process that is ending.
        if (pid === undefined) resolve({ err: error });
      });
    });
    const member: Member = {
      child,
      identity: (pid === undefined ? undefined : identityOf(pid)) ?? '',
      loaded: new Promise((resolve) => {
        child.on('message', (message: FromMember) => {
          if (message.type === 'loaded') resolve();
          else this.#receive(child, message);
        });
      }),
      ended,
      serving: false,
    };
    this.#all.add(member);
    const began = performance.now();
    void ended.then((how) => {
      this.#all.delete(member);
      this.#distributor.remove(child);
      if (this.#ending) return;
      this.#logger.error({ member: pid, ...how }, 'a member has ended; another takes its place');
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
    await this.#start(this.#fork(), started.options).catch((error: unknown) => {
      if (!this.#ending) this.#logger.error({ err: error }, 'a member could not start');
    });
  }

  /** @throws HostError */
  async #start(member: Member, options: MemberOptions): Promise<void> {
    await start(member, options);
    member.serving = true;
    this.#distributor.add(member.child);
  }

  #receive(child: ChildProcess, message: Exclude<FromMember, { type: 'loaded' }>): void {
    if (message.type === 'log') this.#logger[message.level](message.fields, message.message);
    else if (message.type === 'taken') this.#distributor.taken(child);
    else if (message.type === 'snapshot') this.#snapshots.get(message.id)?.(message.metrics);
  }

  #snapshotOf({ child }: Member): Promise<Snapshot> {
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
      tell(child, { type: 'snapshot', id });
    });
  }
}

/** @throws HostError */
async function start({ child, loaded, ended }: Member, options: MemberOptions): Promise<void> {
  const outcome = new Promise<void>((resolve, reject) => {
    child.on('message', (message: FromMember) => {
      if (message.type === 'serving') resolve();
      if (message.type === 'failed') reject(errorOf(message.failure));
    });
    void ended.then(() => reject(new HostError('host', 'a process of the server ended before it served')));
  });
  await Promise.race([loaded, ended]);
  tell(child, { type: 'start', options });
  await outcome;
}

/** What does not arrive is for a process that is ending. */
function tell(child: ChildProcess, message: ToMember): void {
  if (child.connected) child.send(message, () => {});
}

function errorOf({ code, message, subject, advice }: Failure): Error {
  return new HostError(code ?? 'host', message, { subject, advice });
}
