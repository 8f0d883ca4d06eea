import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Ballast } from './ballast.ts';
import type { BodyReferences } from './body/bodies.ts';
import type { ReadBuffers } from './body/read-buffers.ts';
import type { Trash } from './body/trash.ts';
import type { BodyWriter } from './body/writer.ts';
import type { BucketTable } from './buckets.ts';
import type { BucketConfigurations } from './configuration.ts';
import type { Committer } from './index/committer.ts';
import type { Index } from './index/database.ts';
import type { UsageCounters } from './index/usage.ts';
import type { BodyInput } from './port.ts';
import type { SpaceGuard } from './space.ts';

/** What the store's operations work with; assembled once in `local-store.ts`. */
export interface Engine {
  readonly directory: string;
  readonly index: Index;
  readonly committer: Committer;
  readonly usage: UsageCounters;
  readonly references: BodyReferences;
  readonly writer: BodyWriter;
  readonly readBuffers: ReadBuffers;
  readonly trash: Trash;
  readonly buckets: BucketTable;
  readonly configurations: BucketConfigurations;
  readonly space: SpaceGuard;
  readonly ballast: Ballast;
  /** Bytes up to which a body lives in the index. */
  readonly inlineLimit: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Bytes that every part but the last must have. */
  readonly minPartSize: number;
}

/** @throws StoreError `disk-full` when a body of the declared length would not fit; `closed` */
export function assertRoomFor(engine: Engine, body: BodyInput): void {
  engine.committer.assertOpen();
  const bytes = 'bytes' in body ? body.bytes.length : body.length;
  const inline = bytes !== undefined && bytes <= engine.inlineLimit;
  engine.space.assertRoom(bytes ?? 0, inline ? 'index' : 'file');
}
