import type { Engine } from './engine.ts';
import { splitUploadKey } from './index/keys.ts';
import { abortUpload } from './multipart/uploads.ts';

export interface MaintenanceOptions {
  /** Uploads that were begun longer ago than this are aborted. Milliseconds. */
  readonly abandonedUploadAge: number;
  readonly interval: number;
}

/** How long a repeated completion gets its answer. */
const COMPLETED_KEPT_MS = 24 * 60 * 60 * 1000;
/** Work of one round, so that foreground requests do not wait for it. */
const BATCH = 100;

/** What nobody asks for but somebody must do: abandoned uploads, notes of past completions, notes of unlinked files. */
export class Maintenance {
  readonly #engine: Engine;
  readonly #options: MaintenanceOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(engine: Engine, options: MaintenanceOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running
        .then(() => this.run())
        .catch((error: unknown) => {
          this.#engine.logger.warn({ error }, 'maintenance failed; it is tried again');
        });
    }, this.#options.interval);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One round. */
  async run(): Promise<void> {
    this.#engine.committer.examine();
    await this.#abortAbandoned();
    await this.#forgetCompleted();
    await this.#engine.ballast.hold();
    this.#engine.trash.recover();
    if (this.#engine.trash.hasUnlinked) await this.#engine.committer.commit(() => undefined);
  }

  async #abortAbandoned(): Promise<void> {
    const { engine, before } = { engine: this.#engine, before: this.#now() - this.#options.abandonedUploadAge };
    for (const [bucket, { id }] of engine.buckets.entries()) {
      const range = { start: Buffer.from([id >>> 24, (id >>> 16) & 255, (id >>> 8) & 255, id & 255]) };
      const abandoned: { readonly key: string; readonly uploadId: string }[] = [];
      for (const { key: indexKey, value } of engine.index.uploads.getRange(range)) {
        if (indexKey.readUInt32BE(0) !== id || abandoned.length === BATCH) break;
        if (value.initiated > before) continue;
        const { key, uploadId } = splitUploadKey(indexKey);
        abandoned.push({ key, uploadId: uploadId.toString('hex') });
      }
      for (const { key, uploadId } of abandoned) {
        await abortUpload(engine, bucket, key, uploadId);
        engine.logger.info({ bucket, key, uploadId }, 'aborted an abandoned upload');
      }
    }
  }

  async #forgetCompleted(): Promise<void> {
    const before = this.#now() - COMPLETED_KEPT_MS;
    const old: Buffer[] = [];
    for (const { key, value } of this.#engine.index.completed.getRange({ limit: BATCH })) {
      if (value.completed < before) old.push(key);
    }
    if (old.length === 0) return;
    await this.#engine.committer.commit(() => {
      for (const key of old) this.#engine.index.completed.removeSync(key);
    });
  }

  #now(): number {
    return this.#engine.clock.now();
  }
}
