import { MiB } from '../../core/sizes.ts';
import type { Segment } from '../repository/model.ts';
import type { Sink } from '../source/port.ts';

const SEGMENT_BYTES = MiB;
/** Segments that are packed at once, and the memory for it. */
const BUFFERS = 6;

/** Gathers pages into segments of about 1 MiB, and gives them to a sink, several at once. */
export class SegmentWriter {
  readonly #sink: Sink;
  readonly #pageSize: number;
  readonly #size: number;
  readonly #free: Buffer[] = [];
  #made = 0;
  readonly #busy = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  readonly #segments: Segment[] = [];
  #buffer: Buffer | undefined;
  #used = 0;
  #runs: [number, number][] = [];
  /** Pages that were given. */
  pages = 0;

  constructor(sink: Sink, pageSize: number) {
    this.#sink = sink;
    this.#pageSize = pageSize;
    this.#size = Math.max(pageSize, SEGMENT_BYTES);
  }

  /** Copies pages from `first` on. Waits where the sink is slower. @throws what the sink throws */
  async put(first: number, bytes: Buffer): Promise<void> {
    const pageSize = this.#pageSize;
    for (let done = 0; done < bytes.length; ) {
      this.#buffer ??= await this.#room();
      const some = Math.min(bytes.length - done, this.#size - this.#used);
      bytes.copy(this.#buffer, this.#used, done, done + some);
      const [page, count] = [first + done / pageSize, some / pageSize];
      const last = this.#runs.at(-1);
      if (last !== undefined && last[0] + last[1] === page) last[1] += count;
      else this.#runs.push([page, count]);
      this.pages += count;
      this.#used += some;
      done += some;
      if (this.#used === this.#size) this.#send();
    }
  }

  /** All of them, in the order in which they were given; their references are complete when the sink is finished. */
  async finish(): Promise<Segment[]> {
    if (this.#used > 0) this.#send();
    await Promise.all(this.#busy);
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#segments;
  }

  async #room(): Promise<Buffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const free = this.#free.pop();
      if (free !== undefined) return free;
      if (this.#made < BUFFERS) {
        this.#made += 1;
        return Buffer.allocUnsafeSlow(this.#size);
      }
      await Promise.race(this.#busy);
    }
  }

  #send(): void {
    const [buffer, used, runs, index] = [this.#buffer, this.#used, this.#runs, this.#segments.length];
    if (buffer === undefined) return;
    [this.#buffer, this.#used, this.#runs] = [undefined, 0, []];
    this.#segments.length += 1;
    const sent = this.#sink
      .add(buffer.subarray(0, used))
      .then(
        (blob) => {
          this.#segments[index] = { runs, blob };
          this.#free.push(buffer);
        },
        (error: unknown) => {
          this.#failure ??= { error };
        },
      )
      .finally(() => this.#busy.delete(sent));
    this.#busy.add(sent);
  }
}
