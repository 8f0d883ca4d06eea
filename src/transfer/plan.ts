import { TransferError } from './errors.ts';
import { compareKeys } from './keys.ts';
import type { Listed, ListedObject } from './place.ts';

/** What to do with one object of the source. */
export interface Action {
  /** `compare`: the listings cannot tell, but one side is a file whose bytes can. */
  readonly kind: 'copy' | 'compare' | 'skip';
  readonly why: 'missing' | 'size' | 'content' | 'unknown' | 'same-etag' | 'copied-before';
  readonly object: ListedObject;
  /** What is at the destination now. */
  readonly there: ListedObject | undefined;
}

export interface Refusal {
  readonly key: string;
  readonly reason: string;
}

export interface Plan {
  /** In the order of keys. */
  readonly actions: readonly Action[];
  /** What the source has that is no object: never copied, always told. */
  readonly oddities: readonly Refusal[];
  /** Keys that the destination cannot hold. */
  readonly refusals: readonly Refusal[];
  /** Keys that only the destination has. */
  readonly extra: readonly string[];
}

export interface PlanRules {
  /** Asked once for each key of the source, in order. */
  refusal(key: string): string | undefined;
  /** Whether an earlier run left exactly this at the destination. */
  settled(source: ListedObject, there: ListedObject): boolean;
}

/**
 * Merges two listings into what is to be done; reads nothing else and changes nothing.
 * @throws TransferError `unsorted` when a listing does not come in the order of keys
 */
export async function planTransfer(
  source: AsyncIterable<Listed>,
  destination: AsyncIterable<Listed>,
  rules: PlanRules,
): Promise<Plan> {
  const actions: Action[] = [];
  const oddities: Refusal[] = [];
  const refusals: Refusal[] = [];
  const extra: string[] = [];
  const there = ordered(destination, 'destination')[Symbol.asyncIterator]();
  let next = await there.next();
  for await (const entry of ordered(source, 'source')) {
    if (entry.kind === 'oddity') {
      oddities.push({ key: entry.key, reason: entry.reason });
      continue;
    }
    const reason = rules.refusal(entry.key);
    if (reason !== undefined) refusals.push({ key: entry.key, reason });
    for (; next.done !== true && compareKeys(next.value.key, entry.key) < 0; next = await there.next()) {
      if (next.value.kind === 'object') extra.push(next.value.key);
    }
    let found: ListedObject | undefined;
    if (next.done !== true && next.value.key === entry.key) {
      if (next.value.kind === 'object') found = next.value;
      next = await there.next();
    }
    actions.push({ ...decide(entry, found, rules), object: entry, there: found });
  }
  for (; next.done !== true; next = await there.next()) {
    if (next.value.kind === 'object') extra.push(next.value.key);
  }
  return { actions, oddities, refusals, extra };
}

function decide(object: ListedObject, there: ListedObject | undefined, rules: PlanRules): Pick<Action, 'kind' | 'why'> {
  if (there === undefined) return { kind: 'copy', why: 'missing' };
  if (object.size !== there.size) return { kind: 'copy', why: 'size' };
  if (rules.settled(object, there)) return { kind: 'skip', why: 'copied-before' };
  if (object.etag === undefined || there.etag === undefined) return { kind: 'compare', why: 'unknown' };
  if (object.etag === there.etag && object.etag !== '') return { kind: 'skip', why: 'same-etag' };
  // Parts of another size give other ETags to the same bytes; reading both sides costs what copying does.
  const plain = !object.etag.includes('-') && !there.etag.includes('-');
  return { kind: 'copy', why: plain ? 'content' : 'unknown' };
}

async function* ordered(listing: AsyncIterable<Listed>, side: string): AsyncGenerator<Listed> {
  let last: string | undefined;
  for await (const entry of listing) {
    if (last !== undefined && entry.kind === 'object') {
      if (compareKeys(last, entry.key) >= 0) {
        throw new TransferError('unsorted', `the listing of the ${side} is out of order: ${last}, then ${entry.key}`, {
          subject: entry.key,
          advice: 'the provider breaks the S3 API here; report it',
        });
      }
    }
    if (entry.kind === 'object') last = entry.key;
    yield entry;
  }
}
