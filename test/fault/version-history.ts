/** A version's content: the MD5 of its bytes, or a delete marker. */
export type VersionContent = string | 'marker';

export interface SeenVersion {
  readonly id: string;
  readonly content: VersionContent;
}

/**
 * What one client knows of the versions of one key: those that were acknowledged, newest first, and the one change that
 * was on its way when the connection was lost.
 */
export class VersionHistory {
  #known: readonly SeenVersion[] = [];
  #pending:
    | { readonly kind: 'add'; readonly content: VersionContent }
    | { readonly kind: 'remove'; readonly id: string }
    | undefined;

  get known(): readonly SeenVersion[] {
    return this.#known;
  }

  beginAdd(content: VersionContent): void {
    this.#pending = { kind: 'add', content };
  }

  beginRemove(id: string): void {
    this.#pending = { kind: 'remove', id };
  }

  /** @param id the version that was made; undefined for a removal */
  acknowledge(id: string | undefined): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.kind === 'add' && id !== undefined) this.#known = [{ id, content: pending.content }, ...this.#known];
    if (pending?.kind === 'remove') this.#known = this.#known.filter((version) => version.id !== pending.id);
  }

  /**
   * Compares with what is there after a crash, newest first, and takes it as known from then on.
   * @returns what is wrong, for people
   */
  settle(seen: readonly SeenVersion[]): string | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    const without = pending?.kind === 'remove' ? this.#known.filter(({ id }) => id !== pending.id) : this.#known;
    const [newest] = seen;
    const added =
      pending?.kind === 'add' && newest?.content === pending.content ? [newest, ...this.#known] : this.#known;
    const before = this.#known;
    this.#known = seen;
    if ([before, without, added].some((allowed) => same(allowed, seen))) return undefined;
    return JSON.stringify({ before, pending, seen });
  }
}

function same(a: readonly SeenVersion[], b: readonly SeenVersion[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
