import { createHash } from 'node:crypto';

/** What a key may hold: the MD5 of its bytes, or nothing. */
export type Content = string | undefined;

/**
 * What a client knows of its keys: the last change that was acknowledged, and the changes that were on their way when the
 * connection was lost, any of which may or may not have happened. Each key is changed by one client at a time.
 */
export class History {
  readonly #acknowledged = new Map<string, Content>();
  readonly #unsettled = new Map<string, Set<Content>>();

  begin(key: string, content: Content): void {
    const unsettled = this.#unsettled.get(key) ?? new Set();
    unsettled.add(content);
    this.#unsettled.set(key, unsettled);
  }

  /** The server said yes: from now on nothing older may be seen. */
  acknowledge(key: string, content: Content): void {
    this.#acknowledged.set(key, content);
    this.#unsettled.delete(key);
  }

  /** What was seen after a crash: it settles what was unsettled. */
  settle(key: string, content: Content): void {
    this.acknowledge(key, content);
  }

  keys(): readonly string[] {
    return [...new Set([...this.#acknowledged.keys(), ...this.#unsettled.keys()])];
  }

  allowed(key: string): readonly Content[] {
    return [...new Set([this.#acknowledged.get(key), ...(this.#unsettled.get(key) ?? [])])];
  }
}

export function digest(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
