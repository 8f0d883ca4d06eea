import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { ClientError, type ObjectClient } from '../client/index.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { ArtifactError } from './errors.ts';
import { type Layout, layoutBelow } from './layout.ts';
import { checkTenant, type Digest } from './names.ts';

/** Where a store is: `root` is empty or ends with a slash. */
export interface Place {
  readonly client: ObjectClient;
  readonly bucket: string;
  readonly provider: ProviderProfile;
  readonly layout: Layout;
  readonly tenant: string | undefined;
  readonly clock: Clock;
}

export interface PlaceOptions {
  readonly client: ObjectClient;
  readonly bucket: string;
  /** Empty, or with one slash at the end. */
  readonly prefix: string;
  readonly provider: ProviderProfile;
  /** Its artifacts lie below `tenants/<tenant>/`, content and all: nothing is shared between tenants. */
  readonly tenant?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** @throws ArtifactError `invalid` */
export function placeOf({ client, bucket, prefix, provider, tenant, clock }: PlaceOptions): Place {
  const root = tenant === undefined ? prefix : `${prefix}tenants/${checkTenant(tenant)}/`;
  return { client, bucket, provider, layout: layoutBelow(root), tenant, clock: clock ?? systemClock };
}

export const sha256 = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Documents are small; anything longer is none of ours. */
const LONGEST_DOCUMENT = 4 * 1024 * 1024;

/** An object's bytes, or undefined where there is none. @throws ArtifactError `document` when it is too long */
export async function readBytes(place: Place, key: string, longest = LONGEST_DOCUMENT): Promise<Buffer | undefined> {
  let answer: Awaited<ReturnType<ObjectClient['get']>>;
  try {
    answer = await place.client.get({ bucket: place.bucket, key });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return collect(answer.body, key, longest);
}

async function collect(body: Readable, key: string, longest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > longest) {
      body.destroy();
      throw notOurs(key);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** A JSON document of ours. @throws ArtifactError `document` when it does not fit the schema */
export function parseDocument<T extends z.ZodType>(schema: T, bytes: Buffer, key: string): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw notOurs(key, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw notOurs(key, parsed.error);
}

function notOurs(key: string, cause?: unknown): ArtifactError {
  return new ArtifactError('document', `${key} is not written as the artifact store writes it`, {
    subject: key,
    advice: 'something else wrote to this prefix: look at the object, and keep other writers out by policy',
    cause,
  });
}

/**
 * Creates a small object that must not be there yet. `ours` tells a lost answer from a lost race: when the object is
 * there and has just these bytes, we (or our twin) wrote it.
 * @returns whether it is there with our bytes; false: somebody else's are there
 */
export async function createOnce(place: Place, key: string, bytes: Buffer): Promise<boolean> {
  const { client, bucket } = place;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.put({ bucket, key, body: { bytes }, contentType: 'application/json', ifAbsent: true });
      return true;
    } catch (error) {
      // 409: AWS while another conditional write of the same key is under way.
      if (!(error instanceof ClientError) || (error.code !== 'precondition-failed' && error.status !== 409))
        throw error;
      const there = await readBytes(place, key);
      if (there !== undefined) return there.equals(bytes);
      if (attempt >= 5) throw error;
    }
  }
}

const proven = new WeakMap<ObjectClient, Set<string>>();

/**
 * Proves that the provider refuses to create an object twice, without which neither a version nor a channel is safe. Where
 * the profile does not promise it, an object that is there is created again with its own bytes: the answer must be 412, and
 * a provider that ignores the condition has changed nothing.
 * @param key of an object that exists and holds `bytes`
 * @throws ArtifactError `no-conditional-writes`
 */
export async function proveConditionalWrites(place: Place, key: string, bytes: Buffer): Promise<void> {
  const { client, bucket, provider } = place;
  const state = provider.features['conditional-put'];
  const note = provider.notes['conditional-put'];
  if (state === 'no') throw unsafe(place, note ?? 'it has no conditional writes');
  if (state === 'yes' || proven.get(client)?.has(bucket)) return;
  try {
    await client.put({ bucket, key, body: { bytes }, ifAbsent: true });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code === 'not-implemented') throw unsafe(place, 'it answers 501 to If-None-Match');
    if (error.code !== 'precondition-failed') throw error;
    const buckets = proven.get(client) ?? new Set();
    proven.set(client, buckets.add(bucket));
    return;
  }
  throw unsafe(place, 'an object that was there could be created again with If-None-Match: *');
}

function unsafe({ provider, bucket }: Place, why: string): ArtifactError {
  return new ArtifactError(
    'no-conditional-writes',
    `${provider.title} does not keep versions and channels safe: ${why}`,
    {
      subject: bucket,
      advice:
        'use an unversioned bucket of a provider that honours If-None-Match (bucketwright provider show tells), or the embedded server',
    },
  );
}

/** Unique for every write. */
export const nonce = (): string => randomBytes(16).toString('hex');

export const isMissing = (error: unknown): boolean => error instanceof ClientError && error.code === 'no-such-key';
