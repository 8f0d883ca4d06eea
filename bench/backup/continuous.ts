import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { percentile } from '../measure/percentile.ts';
import { clientOf } from './storage.ts';
import { type Bench, helper, ours, startContinuous } from './tools.ts';

export interface Continuous {
  /** Seconds of each part. */
  readonly seconds: number;
  readonly snapshots: number;
  /** Seconds of work that would be lost at a moment, over all moments of the parts with a backup. */
  readonly rpo: { readonly p50: number; readonly p99: number; readonly most: number };
  /** Commits a second that a writer held to 200 reached, alone and beside the backup. */
  readonly held: { readonly alone: number; readonly beside: number };
  /** And one that is not held back: the backup and the server then want its processors. */
  readonly free: { readonly alone: number; readonly beside: number };
}

const EVERY = '10s';
/** Values that a commit replaces. */
const CHANGES = '5';

/** A writer at 200 commits a second and our backup every ten seconds, in turns with the writer alone. */
export async function continuous(bench: Bench, seconds: number, say: (text: string) => void): Promise<Continuous> {
  const client = clientOf(bench.server);
  const tool = ours(bench);
  await client.createBucket(tool.bucket);
  client.close();
  await tool.init();
  say('continuous: the first backup');
  await tool.backUp();
  const rpo: number[] = [];
  let snapshots = 0;
  const beside = async (rate: string): Promise<number> => {
    const running = startContinuous(bench, EVERY);
    const made: { readonly state: number; readonly done: number }[] = [];
    createInterface({ input: running.stdout }).on('line', (line) => {
      const { time }: { time?: string } = JSON.parse(line);
      made.push({ state: Date.parse(time ?? ''), done: Date.now() });
    });
    const reached = await churn(bench.environment, rate, seconds);
    await running.stop();
    snapshots += made.length;
    if (rate !== '0') rpo.push(...ageAtEachMoment(made));
    return reached;
  };
  const [heldAlone, heldBeside, freeAlone, freeBeside]: number[][] = [[], [], [], []];
  for (let turn = 0; turn < 2; turn++) {
    say(`continuous: turn ${turn + 1} of 2, 4 parts of ${seconds} s`);
    heldAlone?.push(await churn(bench.environment, '200', seconds));
    heldBeside?.push(await beside('200'));
    freeAlone?.push(await churn(bench.environment, '0', seconds));
    freeBeside?.push(await beside('0'));
  }
  const mean = (list: readonly number[] = []) => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
  const sorted = rpo.toSorted((a, b) => a - b);
  return {
    seconds,
    snapshots,
    rpo: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), most: sorted.at(-1) ?? 0 },
    held: { alone: mean(heldAlone), beside: mean(heldBeside) },
    free: { alone: mean(freeAlone), beside: mean(freeBeside) },
  };
}

/**
 * Each tenth of a second between the second snapshot and the last: how old the state of the newest stored one was. The first
 * of a part catches up with parts that had no backup.
 */
function ageAtEachMoment(made: readonly { readonly state: number; readonly done: number }[]): readonly number[] {
  const ages: number[] = [];
  for (const [index, { state, done }] of made.entries()) {
    const next = made[index + 1];
    if (index === 0) continue;
    if (next === undefined) break;
    for (let at = done; at < next.done; at += 100) ages.push((at - state) / 1000);
    ages.push((next.done - state) / 1000);
  }
  return ages;
}

/** @returns commits a second */
function churn(environment: string, rate: string, seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const seed = String(Math.floor(Math.random() * 1e9));
    const args = ['churn', environment, seed, CHANGES, rate, String(seconds), 'nosync'];
    const child = spawn(helper, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const [commits, took] = said.trim().split(' ').map(Number);
      if (code !== 0 || commits === undefined || took === undefined) reject(new Error(`the writer ended with ${code}`));
      else resolve(commits / took);
    });
  });
}
