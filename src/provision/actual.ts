import { type Attribute, attributes, type BucketConfiguration } from '../bucket/index.ts';
import { ClientError } from '../client/errors.ts';
import type { BucketClient } from '../client/index.ts';

/** What a bucket is now. */
export interface LiveBucket {
  readonly name: string;
  /** `hidden`: it exists, but this key may not look at it. */
  readonly presence: 'absent' | 'present' | 'hidden';
  /** Attributes that are configured. */
  readonly configuration: LiveConfiguration;
  /** Attributes that could not be read, and why. */
  readonly unreadable: ReadonlyMap<Attribute, ClientError>;
}

export type LiveConfiguration = { readonly [A in Attribute]?: BucketConfiguration[A] | undefined };
type Writable = { -readonly [A in Attribute]?: BucketConfiguration[A] | undefined };

/** Buckets that are read at once, each with at most eight requests. */
const CONCURRENT_BUCKETS = 16;

/** The named buckets as they are, in their order. */
export async function readLive(client: BucketClient, names: readonly string[]): Promise<readonly LiveBucket[]> {
  return mapConcurrently(names, CONCURRENT_BUCKETS, (name) => readBucket(client, name));
}

/**
 * One bucket as it is, in at most eight requests: one for each attribute that the provider has. The first also tells
 * whether the bucket is there.
 * @throws ClientError when nothing can be said: unreachable, wrong keys, throttled for good
 */
export async function readBucket(client: BucketClient, name: string): Promise<LiveBucket> {
  const configuration: Writable = {};
  const unreadable = new Map<Attribute, ClientError>();
  const readable = attributes.filter((attribute) => client.supports(attribute) !== 'no');

  async function read<A extends Attribute>(attribute: A): Promise<void> {
    const value = await client.read(name, attribute);
    if (value !== undefined) configuration[attribute] = value;
  }
  /** Answers false where the bucket is not there. */
  async function look(attribute: Attribute): Promise<boolean> {
    try {
      await read(attribute);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === 'no-such-bucket') return false;
      if (!perAttribute.has(error.code)) throw error;
      unreadable.set(attribute, error);
    }
    return true;
  }

  const [first, ...others] = readable;
  if (first === undefined) return { name, presence: await presenceOf(client, name), configuration, unreadable };
  if (!(await look(first))) return { name, presence: 'absent', configuration: {}, unreadable: new Map() };
  const there = await Promise.all(others.map(look));
  if (there.includes(false)) return { name, presence: 'absent', configuration: {}, unreadable: new Map() };
  const hidden = readable.every((attribute) => unreadable.get(attribute)?.code === 'denied');
  return { name, presence: hidden ? 'hidden' : 'present', configuration, unreadable };
}

/** Failures that concern one attribute, and not the whole endpoint. */
const perAttribute: ReadonlySet<ClientError['code']> = new Set(['denied', 'not-implemented', 'protocol', 'refused']);

async function presenceOf(client: BucketClient, name: string): Promise<LiveBucket['presence']> {
  try {
    await client.location(name);
    return 'present';
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code === 'no-such-bucket') return 'absent';
    if (error.code === 'denied') return 'hidden';
    throw error;
  }
}

/** Results in the order of the inputs; at most `limit` under way. The first failure ends it. */
export async function mapConcurrently<T, R>(
  inputs: readonly T[],
  limit: number,
  run: (input: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < inputs.length; index = next++) {
      const input = inputs[index];
      if (input !== undefined) results.set(index, await run(input));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, worker));
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
}
