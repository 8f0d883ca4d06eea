import type { ObjectClient } from '../client/index.ts';
import { DAY } from '../core/durations.ts';

/** Objects, summed up. */
export interface Amount {
  readonly objects: number;
  readonly bytes: number;
  /** Bytes when an object that is smaller than the key counts as that many. */
  readonly billed: ReadonlyMap<number, number>;
}

/** What a place holds, and how fast it grows. */
export interface Usage {
  readonly now: Amount;
  /** Written in a day, on average over `days`. Of what is measured: and still there. */
  readonly perDay: Amount;
  /** Days that the average was taken over; less than asked for where the oldest object is younger. */
  readonly days: number;
}

export interface MeasureOptions {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** Milliseconds back from now whose objects make the growth per day. */
  readonly window: number;
  /** The least sizes that price lists bill, in bytes. */
  readonly leasts: readonly number[];
  /** Told of each object that was listed. */
  readonly onObject?: (() => void) | undefined;
}

/** A bucket that is younger than the window has grown for less long; less than an hour tells nothing. */
const LEAST_AGE = DAY / 24;

/** Lists a place and sums it up, in constant memory. */
export async function measureUsage(
  client: ObjectClient,
  place: { readonly bucket: string; readonly prefix: string },
  { now, window, leasts, onObject }: MeasureOptions,
): Promise<Usage> {
  const all = new Sum(leasts);
  const recent = new Sum(leasts);
  let oldest = now;
  for await (const entry of client.list(place)) {
    if (entry.kind !== 'object') continue;
    const modified = entry.modified ?? now;
    oldest = Math.min(oldest, modified);
    all.add(entry.size);
    if (modified > now - window) recent.add(entry.size);
    onObject?.();
  }
  const days = Math.min(window, Math.max(now - oldest, LEAST_AGE)) / DAY;
  return { now: all.times(1), perDay: recent.times(1 / days), days };
}

/** Usage as somebody expects it: a number of bytes a day, in objects of one size. */
export function givenUsage(bytesPerDay: number, objectBytes: number, leasts: readonly number[]): Usage {
  const objects = bytesPerDay / objectBytes;
  const billed = new Map(leasts.map((least) => [least, objects * Math.max(least, objectBytes)]));
  return { now: times({ objects: 0, bytes: 0, billed }, 0), perDay: { objects, bytes: bytesPerDay, billed }, days: 1 };
}

export function times({ objects, bytes, billed }: Amount, factor: number): Amount {
  return {
    objects: objects * factor,
    bytes: bytes * factor,
    billed: new Map(Array.from(billed, ([least, sum]) => [least, sum * factor])),
  };
}

export function plus(left: Amount, right: Amount): Amount {
  return {
    objects: left.objects + right.objects,
    bytes: left.bytes + right.bytes,
    billed: new Map(Array.from(left.billed, ([least, sum]) => [least, sum + (right.billed.get(least) ?? 0)])),
  };
}

class Sum {
  readonly #leasts: readonly number[];
  readonly #billed: number[];
  #objects = 0;
  #bytes = 0;

  constructor(leasts: readonly number[]) {
    this.#leasts = leasts;
    this.#billed = leasts.map(() => 0);
  }

  add(size: number): void {
    this.#objects += 1;
    this.#bytes += size;
    this.#leasts.forEach((least, at) => {
      this.#billed[at] = (this.#billed[at] ?? 0) + Math.max(least, size);
    });
  }

  times(factor: number): Amount {
    const billed = new Map(this.#leasts.map((least, at) => [least, this.#billed[at] ?? 0]));
    return times({ objects: this.#objects, bytes: this.#bytes, billed }, factor);
  }
}
