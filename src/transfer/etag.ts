import { createHash, type Hash } from 'node:crypto';
import { MiB } from '../core/sizes.ts';

/** Bytes in a part; Infinity: the object was written in one. What an ETag is the MD5 of depends on it. */
export type Layout = number;

/** Parts of well-known programs: the AWS SDKs and CLI, rclone, MinIO's client, s3cmd, Loki, Tempo and ourselves. */
const known = [5, 6, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024].map((size) => size * MiB);

/** Our own parts: 16 MiB, larger only where 10,000 would not do; a whole number of MiB. */
export function ourLayout(size: number): Layout {
  if (size <= 16 * MiB) return Number.POSITIVE_INFINITY;
  return Math.max(16 * MiB, Math.ceil(size / 10_000 / MiB) * MiB);
}

/**
 * The layouts that may have led to this ETag. Empty: it is no MD5, or of parts whose size nobody told.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function layoutsOf(etag: string | undefined, size: number): readonly Layout[] {
  if (etag === undefined) return [];
  if (/^[0-9a-f]{32}$/i.test(etag)) return [Number.POSITIVE_INFINITY];
  const parts = Number(/^[0-9a-f]{32}-([1-9]\d{0,4})$/i.exec(etag)?.[1]);
  if (Number.isNaN(parts)) return [];
  // One part may have any size; the first candidate stands for all of them.
  const candidates = [...new Set([ourLayout(size), ...known])].filter(Number.isFinite);
  const fitting = candidates.filter((layout) => Math.max(1, Math.ceil(size / layout)) === parts);
  return parts === 1 ? fitting.slice(0, 1) : fitting.slice(0, 4);
}

/** The ETags that S3 gives the same bytes in different layouts, all in one pass. */
export class EtagHasher {
  readonly #layouts: readonly LayoutHasher[];

  constructor(layouts: Iterable<Layout>) {
    this.#layouts = [...new Set(layouts)].map((layout) => new LayoutHasher(layout));
  }

  update(bytes: Uint8Array): void {
    for (const layout of this.#layouts) layout.update(bytes);
  }

  digest(): ReadonlyMap<Layout, string> {
    return new Map(this.#layouts.map((hasher) => [hasher.layout, hasher.digest()]));
  }
}

class LayoutHasher {
  readonly layout: Layout;
  #part: Hash = createHash('md5');
  #room: number;
  readonly #parts: Buffer[] = [];

  constructor(layout: Layout) {
    this.layout = layout;
    this.#room = layout;
  }

  update(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      if (this.#room === 0) this.#endPart();
      const take = Math.min(this.#room, bytes.length - offset);
      this.#part.update(bytes.subarray(offset, offset + take));
      this.#room -= take;
      offset += take;
    }
  }

  digest(): string {
    if (!Number.isFinite(this.layout)) return this.#part.digest('hex');
    this.#endPart();
    return partsEtag(this.#parts);
  }

  #endPart(): void {
    this.#parts.push(this.#part.digest());
    this.#part = createHash('md5');
    this.#room = this.layout;
  }
}

/** The ETag of an object in parts: the MD5 of the parts' MD5s, and their number. */
export function partsEtag(md5s: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const md5 of md5s) hash.update(md5);
  return `${hash.digest('hex')}-${md5s.length}`;
}
