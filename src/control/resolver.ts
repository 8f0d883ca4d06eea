import type { ArtifactStore, Resolved } from '../artifacts/index.ts';
import type { Clock } from '../core/clock.ts';
import { HOUR } from '../core/durations.ts';

/** How long an answer is used again: what a channel says may be this old, in milliseconds. */
export const FRESH = 1000;
const MOST = 10_000;

interface Held<T> {
  readonly until: number;
  readonly value: T;
}

/**
 * One store's answers for many nodes at once: whatever they ask, S3 sees each reference at most once a second, and waiting
 * nodes share these looks.
 */
export class Resolver {
  readonly #store: ArtifactStore;
  readonly #clock: Clock;
  readonly #resolved = new Map<string, Held<Promise<Resolved>>>();
  readonly #urls = new Map<string, Held<{ readonly url: string; readonly expires: string }>>();
  readonly #manifests = new Map<string, Held<Promise<string>>>();

  constructor(store: ArtifactStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  resolve(reference: string): Promise<Resolved> {
    return this.#held(this.#resolved, reference, FRESH, () => this.#store.resolve(reference));
  }

  /** The manifest's bytes in base64. They never change; they are forgotten so that memory does not grow. */
  manifest({ artifact }: Resolved): Promise<string> {
    return this.#held(this.#manifests, artifact.digest, HOUR, async () =>
      (await this.#store.manifest(artifact)).toString('base64'),
    );
  }

  /** Valid for at least `seconds`. Signing costs more than all else, so a URL is handed out for a while. */
  url({ artifact }: Resolved, seconds: number): { readonly url: string; readonly expires: string } {
    const slack = Math.min(300, Math.ceil(seconds / 4));
    return this.#held(this.#urls, `${artifact.digest} ${seconds}`, slack * 1000, () => {
      const url = this.#store.url({ artifact, expiresSeconds: seconds + slack });
      return { url, expires: new Date(this.#clock.now() + (seconds + slack) * 1000).toISOString() };
    });
  }

  #held<T>(map: Map<string, Held<T>>, key: string, milliseconds: number, make: () => T): T {
    const now = this.#clock.now();
    const known = map.get(key);
    if (known !== undefined && known.until > now) return known.value;
    // The oldest go first: insertion order is age.
    for (const oldest of map.keys()) {
      if (map.size < MOST) break;
      map.delete(oldest);
    }
    const value = make();
    map.delete(key);
    map.set(key, { until: now + milliseconds, value });
    // A failure is for those who wait for it now, not for who asks next.
    if (value instanceof Promise) {
      value.catch(() => {
        if (map.get(key)?.value === value) map.delete(key);
      });
    }
    return value;
  }
}
