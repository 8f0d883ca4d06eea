import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDirectory } from '../../src/store/check/access.ts';
import { fsck } from '../../src/store/check/fsck.ts';
import { type LocalStore, openLocalStore } from '../../src/store/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { BUCKETS, concurrentOperation, type Operation, operation } from './operations.ts';
import { type Request, resolve } from './resolve.ts';
import { type Outcome, run } from './run.ts';
import { emptyState, type State } from './state.ts';
import { step } from './step.ts';

/** How many histories; MODEL_RUNS=5000 for a long look. A failure prints its seed and the shortest history. */
const RUNS = Number(process.env.MODEL_RUNS ?? 40);
const TIMEOUT = 60_000 + RUNS * 2000;
/** What is tried again to make a failing history shorter, in milliseconds. */
const SHRINKING = 60_000;

/** The store under test on a directory of its own, with a clock that histories move. */
class Subject {
  readonly #directory: string;
  #now = Date.UTC(2026, 10, 24);
  #store: LocalStore | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async store(): Promise<LocalStore> {
    this.#store ??= await openLocalStore({
      directory: this.#directory,
      inlineLimit: 64,
      minPartSize: 1,
      filesPerSegment: 3,
      bodyThreads: 0,
      // Durability is another test's matter, and a thousand fsyncs take long.
      durable: false,
      clock: { now: () => this.#now },
    });
    return this.#store;
  }

  async run(request: Request): Promise<Outcome> {
    const { operation: what } = request;
    if (what.kind === 'restart') await this.close();
    if (what.kind === 'time') this.#now += what.milliseconds;
    return run(await this.store(), request);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Index and bodies agree with each other: no orphan, no lost reference, no wrong counter. */
  async check(): Promise<void> {
    await this.close();
    const opened = await openDirectory(this.#directory, 'alone');
    try {
      for await (const finding of fsck(opened, {}, [])) expect(finding).toMatchObject({ status: 'ok' });
    } finally {
      await opened.close();
    }
  }
}

const EVERYTHING = { prefix: '', delimiter: '', limit: 1000 };
const first: readonly Operation[] = BUCKETS.map((bucket) => ({ kind: 'create-bucket', bucket }));
const last: readonly Operation[] = BUCKETS.flatMap((bucket) => [
  { kind: 'list', bucket, ...EVERYTHING } as const,
  { kind: 'list-versions', bucket, ...EVERYTHING } as const,
]);

async function withSubject(history: (subject: Subject) => Promise<State>): Promise<void> {
  await using directory = await temporaryDirectory('model');
  const subject = new Subject(directory.path);
  try {
    const state = await history(subject);
    const counted = await (await subject.store()).usage();
    for (const { bucket, objects, bytes } of counted)
      expect({ bucket, objects, bytes }).toEqual(usageOf(state, bucket));
    await subject.check();
  } finally {
    await subject.close();
  }
}

function usageOf(state: State, bucket: string) {
  const keys = [...(state.buckets.get(bucket)?.objects.values() ?? [])];
  const bytes = keys.flat().reduce((sum, { size }) => sum + size, 0);
  return { bucket, objects: keys.filter(([newest]) => newest?.marker === false).length, bytes };
}

async function inTurn(subject: Subject, state: State, operations: readonly Operation[]): Promise<void> {
  for (const next of operations) {
    const request = resolve(state, next);
    const answer = await subject.run(request);
    const expected = step(state, request, answer);
    expect({ operation: next, answer, expected }).toEqual({ operation: next, answer, expected: undefined });
  }
}

describe('the store answers as the model does', () => {
  it('whatever is asked in turn', { timeout: TIMEOUT }, async () => {
    const histories = fc.array(operation, { minLength: 5, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(histories, (operations) =>
      withSubject(async (subject) => {
        const state = emptyState();
        await inTurn(subject, state, [...first, ...operations, ...last]);
        return state;
      }),
    );
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: TIMEOUT - SHRINKING / 2 });
  });

  it('when up to four are asked at once: as in some order of them', { timeout: TIMEOUT }, async () => {
    const groups = fc.array(fc.array(concurrentOperation, { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 20,
    });
    const property = fc.asyncProperty(groups, (history) =>
      withSubject(async (subject) => {
        let states: readonly State[] = [emptyState()];
        const ask = async (group: readonly Operation[]) => {
          const requests = group.map((each) => resolve(states[0] ?? emptyState(), each));
          const answers = await Promise.all(requests.map((request) => subject.run(request)));
          const asked = requests.map((request, index) => ({ request, answer: answers[index] ?? {} }));
          states = distinct(states.flatMap((state) => [...afterSomeOrder(state, asked)]));
          expect({ group, answers, explanations: states.length }).not.toMatchObject({ explanations: 0 });
        };
        for (const group of [...first.map((each) => [each]), ...history, ...last.map((each) => [each])])
          await ask(group);
        return states[0] ?? emptyState();
      }),
    );
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: TIMEOUT - SHRINKING / 2 });
  });
});

interface Asked {
  readonly request: Request;
  readonly answer: Outcome;
}

/** The states after each order of the operations in which every one gets the answer that it got. */
function* afterSomeOrder(state: State, asked: readonly Asked[]): Generator<State> {
  if (asked.length === 0) yield state;
  for (const [index, { request, answer }] of asked.entries()) {
    const next = structuredClone(state);
    if (step(next, request, answer) === undefined) yield* afterSomeOrder(next, asked.toSpliced(index, 1));
  }
}

/** Orders often come to the same; those that differ are told apart by what is answered later. */
function distinct(states: readonly State[]): readonly State[] {
  const asText = (state: State) =>
    JSON.stringify(state, (_, value: unknown) => (value instanceof Map ? [...value].sort() : value));
  return [...new Map(states.map((state) => [asText(state), state])).values()];
}
