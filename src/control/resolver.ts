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

export interface SignedUrl {
  readonly url: string;
  /** ISO 8601. */
  readonly expires: string;
}

interface Written {
  readonly url: SignedUrl;
  readonly text: string;
}
const MOST_TEXTS = 100;

/**
 * One store's answers for many nodes at once: whatever they ask, S3 sees each reference at most once a second, and waiting
 * nodes share these looks.
 */
export class Resolver {
  readonly #store: ArtifactStore;
  readonly #clock: Clock;
  readonly #resolved = new Map<string, Held<Promise<Resolved>>>();
  readonly #urls = new Map<string, Held<SignedUrl>>();
  readonly #looking = new Set<string>();
  readonly #texts = new WeakMap<Resolved, Map<number, Written>>();
  readonly #manifests = new Map<string, Held<Promise<string>>>();

  constructor(store: ArtifactStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** While many ask, the next look begins when half of the time is over: nobody then waits for S3. */
  resolve(reference: string): Promise<Resolved> {
    const look = () => this.#store.resolve(reference);
    const known = this.#resolved.get(reference);
    const now = this.#clock.now();
    if (known === undefined || known.until <= now) return this.#held(this.#resolved, reference, FRESH, look);
    if (known.until - now < FRESH / 2 && !this.#looking.has(reference)) {
      this.#looking.add(reference);
      const value = look();
      value
        .then(() => this.#hold(this.#resolved, reference, now + FRESH, value))
        // What is held still counts until its time is over; who asks then hears of the failure.
        .catch(() => {})
        .finally(() => this.#looking.delete(reference));
    }
    return known.value;
  }

  /** The answer's text. It is the same for all who ask within the second, so it is written once. */
  async answer(
    resolved: Resolved,
    seconds: number,
    write: (manifest: string, url: SignedUrl) => object,
  ): Promise<string> {
    const url = this.url(resolved, seconds);
    const texts = this.#texts.get(resolved) ?? new Map<number, Written>();
    this.#texts.set(resolved, texts);
    const known = texts.get(seconds);
    if (known?.url === url) return known.text;
    const text = JSON.stringify(write(await this.#manifest(resolved), url));
    // A caller can ask for any of 86,341 lengths of time.
    if (texts.size >= MOST_TEXTS) texts.clear();
    texts.set(seconds, { url, text });
    return text;
  }

  /** The manifest's bytes in base64. They never change; they are forgotten so that memory does not grow. */
  #manifest({ artifact }: Resolved): Promise<string> {
    return this.#held(this.#manifests, artifact.digest, HOUR, async () =>
      (await this.#store.manifest(artifact)).toString('base64'),
    );
  }

  /** Valid for at least `seconds`. Signing costs more than all else, so a URL is handed out for a while. */
  url({ artifact }: Resolved, seconds: number): SignedUrl {
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
    const value = make();
    this.#hold(map, key, now + milliseconds, value);
    // A failure is for those who wait for it now, not for who asks next.
    if (value instanceof Promise) {
      value.catch(() => {
        if (map.get(key)?.value === value) map.delete(key);
      });
    }
    return value;
  }

  #hold<T>(map: Map<string, Held<T>>, key: string, until: number, value: T): void {
    map.delete(key);
    // The oldest go first: insertion order is age.
    for (const oldest of map.keys()) {
      if (map.size < MOST) break;
      map.delete(oldest);
    }
    map.set(key, { until, value });
  }
}

/** By tenant. */
export type ResolverOf = (tenant: string | undefined) => Resolver;

export function createResolvers(store: (tenant: string | undefined) => ArtifactStore, clock: Clock): ResolverOf {
  const resolvers = new Map<string | undefined, Resolver>();
  return (tenant) => {
    const known = resolvers.get(tenant) ?? new Resolver(store(tenant), clock);
    resolvers.set(tenant, known);
    return known;
  };
}
