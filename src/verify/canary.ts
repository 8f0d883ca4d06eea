import { randomBytes } from 'node:crypto';
import { createClient, type ObjectClient } from '../client/index.ts';
import type { Finding } from '../core/finding.ts';
import { MiB } from '../core/sizes.ts';
import type { Connection } from '../providers/index.ts';
import { CheckFailed, check } from './check.ts';

/** Where a canary goes: one use's place. */
export interface CanaryPlace {
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
}

/** Remembers what was written, so that it is removed whatever happens in between. */
export class Canaries {
  readonly #written = new Map<string, { readonly bucket: string; readonly key: string }>();

  /**
   * A key that nobody has, directly below the prefix: Tempo takes every further slash below its prefix for a tenant, so
   * there is none.
   */
  address({ bucket, prefix }: CanaryPlace, kind: string): { readonly bucket: string; readonly key: string } {
    const key = `${prefix}bucketwright-verify-${kind}-${randomBytes(9).toString('hex')}`;
    this.#written.set(`${bucket}/${key}`, { bucket, key });
    return { bucket, key };
  }

  gone({ bucket, key }: { readonly bucket: string; readonly key: string }): void {
    this.#written.delete(`${bucket}/${key}`);
  }

  /** Removes what is left. Answers a finding only when something stays behind. */
  async cleanUp(client: ObjectClient): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    for (const address of [...this.#written.values()]) {
      const finding = await check(
        {
          id: 'cleanup',
          subject: `${address.bucket}/${address.key}`,
          expected: 'the canary object is deleted',
          why: 'it stays in the bucket',
          advice: 'delete this object by hand',
        },
        async () => {
          await client.delete(address);
          this.gone(address);
          return 'deleted';
        },
      );
      if (finding.status !== 'ok') findings.push(finding);
    }
    return findings;
  }
}

/** Writes, reads back, lists, reads a range of and deletes an object under one prefix. Stops at the first failure. */
export async function* checkCanary(
  client: ObjectClient,
  canaries: Canaries,
  place: CanaryPlace,
): AsyncGenerator<Finding> {
  const bytes = randomBytes(1024);
  const address = canaries.address(place, 'object');
  const subject = `${place.bucket}/${place.prefix}`;
  const why = 'this is what Loki, Tempo and backups do all day';
  const steps: readonly (readonly [id: string, expected: string, run: () => Promise<string>])[] = [
    [
      'canary-write',
      'an object of 1 KiB is written',
      async () => {
        await client.put({ ...address, body: { bytes } });
        return 'written';
      },
    ],
    [
      'canary-read',
      'the same bytes come back',
      async () => {
        const read = await bodyOf(client, address);
        if (!read.equals(bytes)) throw new CheckFailed(`${read.length} bytes came back that differ from those written`);
        return 'the same bytes came back';
      },
    ],
    [
      'canary-list',
      'the listing of its prefix holds it, with its size',
      async () => {
        for await (const entry of client.list({ bucket: place.bucket, prefix: address.key })) {
          if (entry.kind === 'object' && entry.key === address.key && entry.size === bytes.length) return 'listed';
        }
        throw new CheckFailed('the listing does not hold the object', {
          advice: 'the provider lists late, or the policy hides this prefix',
        });
      },
    ],
    [
      'canary-range',
      'bytes 100 to 199 come back alone',
      async () => {
        const read = await bodyOf(client, address, { start: 100, end: 199 });
        if (!read.equals(bytes.subarray(100, 200)))
          throw new CheckFailed(`a range of 100 bytes came back as ${read.length}`);
        return 'a range came back';
      },
    ],
    [
      'canary-delete',
      'the object is deleted and then gone',
      async () => {
        await client.delete(address);
        for await (const entry of client.list({ bucket: place.bucket, prefix: address.key })) {
          if (entry.kind === 'object') throw new CheckFailed('the object is still listed after its deletion');
        }
        canaries.gone(address);
        return 'deleted';
      },
    ],
  ];
  for (const [id, expected, run] of steps) {
    const finding = await check({ id, subject, expected, why }, run);
    yield finding;
    if (finding.status === 'fail') return;
  }
}

/** Whether an upload with the checksum that today's SDKs add by default is accepted. */
export function checkDefaultChecksum(connection: Connection, canaries: Canaries, place: CanaryPlace): Promise<Finding> {
  const facts = {
    id: 'default-checksum',
    subject: `${place.bucket}/${place.prefix}`,
    expected: "an upload with the SDKs' default CRC32 is accepted",
    why: 'AWS SDKs since 2025 send one with every upload',
    advice:
      'set AWS_REQUEST_CHECKSUM_CALCULATION=when_required and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required for other clients of this endpoint',
  };
  return check(facts, async () => {
    const client = createClient({ ...connection, checksums: 'when-supported' }, { idleMs: 15_000, attempts: 2 });
    try {
      const address = canaries.address(place, 'checksum');
      const bytes = randomBytes(512);
      await client.put({ ...address, body: { bytes }, checksum: 'CRC32' });
      const read = await bodyOf(client, address);
      if (!read.equals(bytes)) throw new CheckFailed('the bytes that came back differ from those written');
      return 'an upload with CRC32 is accepted';
    } catch (error) {
      if (connection.checksums === 'when-supported' || !(error instanceof Error)) throw error;
      const { expected, why, advice } = facts;
      return { status: 'warn', found: `${error.message}; our own requests go without`, expected, why, advice };
    } finally {
      client.close();
    }
  });
}

/** Whether an upload in two parts, 5 MiB and one byte, becomes one object. */
export function checkMultipart(client: ObjectClient, canaries: Canaries, place: CanaryPlace): Promise<Finding> {
  return check(
    {
      id: 'multipart',
      subject: `${place.bucket}/${place.prefix}`,
      expected: 'two parts become one object of 5 MiB and one byte',
      why: 'Tempo, backups and large artifacts are uploaded in parts',
    },
    async () => {
      const size = 5 * MiB + 1;
      const bytes = randomBytes(size);
      const address = canaries.address(place, 'multipart');
      await client.upload({ ...address, body: bytes, partSize: 5 * MiB, concurrency: 2 });
      const facts = await client.head(address);
      if (facts.size !== size) throw new CheckFailed(`the object has ${facts.size} bytes instead of ${size}`);
      const seam = await bodyOf(client, address, { start: size - 17, end: size - 1 });
      if (!seam.equals(bytes.subarray(size - 17)))
        throw new CheckFailed('the bytes around the seam of the parts differ');
      await client.delete(address);
      canaries.gone(address);
      return 'two parts became one object';
    },
  );
}

async function bodyOf(
  client: ObjectClient,
  address: { readonly bucket: string; readonly key: string },
  range?: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  const { body } = await client.get({ ...address, range });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  return Buffer.concat(chunks);
}
