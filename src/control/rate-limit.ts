import type { Clock } from '../core/clock.ts';

/** A bucket of tokens for each caller: `perSecond` on average, twice as many at once. */
export class RateLimit {
  readonly #levels = new Map<string, { level: number; at: number }>();
  readonly #perSecond: number;
  readonly #clock: Clock;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** @returns 0 when the request may pass, else the seconds after which the next one may */
  take(caller: string): number {
    const now = this.#clock.now();
    const full = this.#perSecond * 2;
    const known = this.#levels.get(caller);
    const level =
      known === undefined ? full : Math.min(full, known.level + ((now - known.at) / 1000) * this.#perSecond);
    // Whoever is full again is as good as unknown; callers without a token may be many.
    if (known === undefined && this.#levels.size >= 10_000) this.#forget(now, full);
    if (level < 1) {
      this.#levels.set(caller, { level, at: now });
      return Math.max(1, Math.ceil((1 - level) / this.#perSecond));
    }
    this.#levels.set(caller, { level: level - 1, at: now });
    return 0;
  }

  #forget(now: number, full: number): void {
    for (const [caller, { level, at }] of this.#levels) {
      if (level + ((now - at) / 1000) * this.#perSecond >= full) this.#levels.delete(caller);
    }
    if (this.#levels.size >= 10_000) this.#levels.clear();
  }
}
