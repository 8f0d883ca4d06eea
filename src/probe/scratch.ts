import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BucketClient,
  ClientError,
  createBucketClient,
  createBucketContents,
  createExchange,
  type RawAnswer,
  type RawRequest,
} from '../client/index.ts';
import { BucketwrightError } from '../core/errors.ts';
import { type Connection, generic, type ProviderProfile } from '../providers/index.ts';

/** A bucket that the probe made and could not remove. */
export interface Leftover {
  readonly bucket: string;
  readonly reason: string;
}

/** The probe would have touched what it did not make: a fault of the probe, never of the endpoint. */
export class OutsideScratchError extends BucketwrightError {
  readonly code = 'outside-scratch';
}

export type ScratchRequest = Omit<RawRequest, 'bucket'> & {
  readonly bucket: string;
  /** Not repeated whatever happens: for conditions, which a repetition would answer differently. */
  readonly once?: boolean;
};

/** The only way in which the probe reaches an endpoint: buckets of its own, and nothing outside them. */
export interface Scratch {
  readonly profile: ProviderProfile;
  /** Makes a bucket nobody had before. @throws ClientError */
  make(options?: { readonly objectLock?: boolean }): Promise<string>;
  /** One request to one of our buckets; throttles and broken connections are repeated. */
  send(request: ScratchRequest): Promise<RawAnswer>;
  /** Reads and writes configurations without asking the profile, which is what is being measured. */
  readonly configuration: Pick<BucketClient, 'read' | 'write'>;
  /** Removes all that was made; answers what could not be. */
  cleanUp(): Promise<readonly Leftover[]>;
}

const TRIES = 4;

export function openScratch(connection: Connection): Scratch {
  const made = new Set<string>();
  const measured: Connection = { ...connection, provider: { ...connection.provider, features: generic.features } };
  const client = createBucketClient(measured, { attempts: TRIES });
  const exchange = createExchange(connection, { timeoutMs: 20_000, sockets: 16 });

  function ours(bucket: string): void {
    if (made.has(bucket)) return;
    throw new OutsideScratchError(`the probe did not make ${bucket}`, { subject: bucket });
  }

  return {
    profile: connection.provider,
    async make(options) {
      const bucket = `bucketwright-probe-${randomBytes(6).toString('hex')}`;
      await client.create(bucket, options);
      made.add(bucket);
      return bucket;
    },

    async send({ once, ...request }) {
      ours(request.bucket);
      for (let tries = 1; ; tries += 1) {
        const last = once === true || tries >= TRIES;
        try {
          const answer = await exchange.send({ ...request, alone: request.alone === true || tries > 1 });
          if (last || (answer.status !== 429 && answer.status !== 503)) return answer;
        } catch (error) {
          if (last) throw error;
        }
        await sleep(250 * 2 ** tries);
      }
    },

    configuration: {
      async read(bucket, attribute) {
        ours(bucket);
        return client.read(bucket, attribute);
      },
      async write(bucket, attribute, value) {
        ours(bucket);
        await client.write(bucket, attribute, value);
      },
    },

    async cleanUp() {
      const contents = createBucketContents(connection);
      const left: Leftover[] = [];
      try {
        for (const bucket of made) {
          try {
            const failed = await contents.empty(bucket, () => {});
            if (failed.length > 0) left.push({ bucket, reason: `${failed.length} objects could not be deleted` });
            else await client.remove(bucket);
          } catch (error) {
            // A gateway that read one of our requests as the bucket's deletion has done it already.
            if (error instanceof ClientError && error.code === 'no-such-bucket') continue;
            left.push({ bucket, reason: error instanceof Error ? error.message : 'an unknown failure' });
          }
        }
      } finally {
        contents.close();
        client.close();
        exchange.close();
      }
      return left;
    },
  };
}
