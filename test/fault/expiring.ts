import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { digest } from './history.ts';
import { answered, type LeanClient } from './lean-client.ts';
import { uploadParts } from './upload-parts.ts';
import { listVersions } from './versions.ts';

const KiB = 1024;
const CLIENTS = 2;
const KEYS = 10;
const PREFIX = 'expiring/';
/** What is a day for the server: too short to wait for, and long enough to see objects before they go. */
const DAY_MS = 1000;

/** Objects of a bucket with versioning that a lifecycle rule removes while the server is killed again and again. */
export class Expiring {
  static readonly clients = CLIENTS;
  static readonly settings = { BUCKETWRIGHT_LIFECYCLE_DAY: `${DAY_MS}ms` };
  static readonly rules = Buffer.from(
    `<LifecycleConfiguration><Rule><ID>expiring</ID><Filter><Prefix>${PREFIX}</Prefix></Filter><Status>Enabled</Status>` +
      '<Expiration><Days>1</Days></Expiration>' +
      '<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>' +
      '<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>' +
      '</Rule></LifecycleConfiguration>',
  );

  /** All that was ever sent. */
  readonly #sent = new Set<string>();
  /** By version: when its upload began, and what it is. */
  readonly #acknowledged = new Map<string, { readonly began: number; readonly content: string }>();
  removed = 0;

  /** Writes, overwrites and begins uploads until the server is gone. */
  load(client: LeanClient): readonly Promise<void>[] {
    const write = async (number: number, step: number) => {
      const target = `/load/${PREFIX}${number}-${step % KEYS}`;
      const bytes = randomBytes(Math.floor(Math.random() * (step % 2 === 0 ? 3 : 100) * KiB));
      // Never completed: the rule aborts it.
      if (step % 5 === 4) return void (await uploadParts(client, target, [bytes]));
      const content = digest(bytes);
      const began = Date.now();
      this.#sent.add(content);
      const { versionId = '' } = await answered(client.send('PUT', target, bytes), 200);
      this.#acknowledged.set(versionId, { began, content });
    };
    const worker = async (number: number) => {
      try {
        for (let step = 0; step < 1000; step += 1) {
          await write(number, step);
          await sleep(25);
        }
      } catch {
        // killed
      }
    };
    return Array.from({ length: CLIENTS }, (_, number) => worker(number));
  }

  /** What is there is whole and was sent; what is gone was due. */
  async check(client: LeanClient): Promise<void> {
    const ids = new Set<string>();
    for (const { marker, key, id } of await listVersions(client, '/load', PREFIX)) {
      ids.add(id);
      if (marker) continue;
      const got = await client.send('GET', `/load/${key}?versionId=${id}`);
      // The rule goes on meanwhile.
      if (got.status === 404) continue;
      expect(got.status).toBe(200);
      const content = digest(got.body);
      expect(this.#sent.has(content), key).toBe(true);
      expect(content, key).toBe(this.#acknowledged.get(id)?.content ?? content);
    }
    for (const [id, { began }] of this.#acknowledged) {
      if (ids.has(id)) continue;
      expect(Date.now() - began, id).toBeGreaterThanOrEqual(DAY_MS);
      this.#acknowledged.delete(id);
      this.removed += 1;
    }
  }

  /** Versions, markers and uploads: in the end nothing is left. */
  async checkGone(client: LeanClient): Promise<void> {
    const left = async () => {
      const uploads = await answered(client.send('GET', `/load?uploads=&prefix=${PREFIX}`), 200);
      return [uploads.body.includes('<Upload>'), await listVersions(client, '/load', PREFIX)];
    };
    await expect.poll(left, { timeout: 60_000 }).toEqual([false, []]);
  }
}
