import { parseArgs } from 'node:util';
import { UsageError } from '../src/core/errors.ts';
import { type CellId, cellIds, isCellId, isServerId, type ServerId, serverIds } from './plan.ts';

export interface Options {
  readonly servers: readonly ServerId[];
  readonly cells: readonly CellId[];
  readonly rounds: number;
  /** Whole seconds a cell is run; wrk takes no fractions. */
  readonly seconds: number;
  /** Ascending. */
  readonly clients: readonly number[];
  readonly json: string | undefined;
  /** Rewrite the tables of docs/benchmarks.md. */
  readonly write: boolean;
  /** A round that would go beyond so many minutes is not begun; the first always is. */
  readonly minutes: number;
  /** Whole seconds that each cell of small requests, or of 1 MiB, is run at the most clients before it is measured. */
  readonly warm: number;
}

export const usage = `npm run bench -- [options]
  --only ours,null     servers: ${serverIds.join(', ')} (default: all)
  --cells put1k,get1k  ${cellIds.join(', ')} (default: all)
  --rounds 3           rounds, interleaved over the servers
  --seconds 1          seconds a cell
  --clients 1,16,64    64 MiB and multipart run at a quarter of these
  --minutes 33         fewer rounds where more would take longer than this
  --warm 2             seconds that each small cell is run before, uncounted: V8 compiles what is hot
  --json FILE          every sample of every round
  --write              rewrite the tables in docs/benchmarks.md
  --quick              one round at 64 clients, without 64 MiB and multipart`;

const quickCells: readonly CellId[] = ['put1k', 'delete1k', 'get1k', 'head', 'list1000', 'put1m', 'get1m'];

function listOf<T extends string>(text: string, name: string, is: (word: string) => word is T): readonly T[] {
  return text.split(',').map((word) => {
    if (!is(word)) throw new UsageError(`--${name}: there is no ${word}`, { subject: name, advice: usage });
    return word;
  });
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000) {
    throw new UsageError(`--${name} takes a whole number from 1, not ${text}`, { subject: name, advice: usage });
  }
  return value;
}

/** @throws {UsageError} for an unknown option, server, cell or a number that is none. */
export function parseOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const parse = () => {
    try {
      return parseArgs({
        args: [...args],
        options: {
          only: text,
          cells: text,
          rounds: text,
          seconds: text,
          clients: text,
          minutes: text,
          warm: text,
          json: text,
          write: flag,
          quick: flag,
        },
      }).values;
    } catch (cause) {
      throw new UsageError('unknown option', { cause, advice: usage });
    }
  };
  const values = parse();
  const quick = values.quick === true;
  const clients = (values.clients ?? (quick ? '64' : '1,16,64')).split(',').map((word) => wholeNumber(word, 'clients'));
  return {
    servers: values.only === undefined ? serverIds : listOf(values.only, 'only', isServerId),
    cells: values.cells === undefined ? (quick ? quickCells : cellIds) : listOf(values.cells, 'cells', isCellId),
    rounds: wholeNumber(values.rounds ?? (quick ? '1' : '3'), 'rounds'),
    seconds: wholeNumber(values.seconds ?? '1', 'seconds'),
    clients: [...new Set(clients)].sort((a, b) => a - b),
    json: values.json,
    write: values.write === true,
    warm: wholeNumber(values.warm ?? (quick ? '1' : '2'), 'warm'),
    minutes: wholeNumber(values.minutes ?? '33', 'minutes'),
  };
}
