import type { Tree } from './layout.ts';
import { broken } from './page.ts';

/** A tree that is being walked, and what was found of it. */
export class Place {
  readonly tree: Tree;
  /** Whether it holds the duplicates of one key. */
  readonly nested: boolean;
  readonly name: string;
  /** 0 main and free pages, 1 named trees, 2 duplicates: deeper is damage, and without a limit could be a circle. */
  readonly level: number;
  /** The tree whose record counts this one's pages, too: that of the keys that have these duplicates. */
  readonly within: Place | undefined;
  #branches = 0;
  #leaves = 0;
  #large = 0;
  #items = 0;
  /** Whether nothing was left out, so that the counts must be those of the tree's record. */
  #whole = true;
  /** Pages and values that were found and not yet visited. */
  #open = 0;

  constructor(tree: Tree, nested: boolean, name: string, level: number, within?: Place) {
    this.tree = tree;
    this.nested = nested;
    this.name = name;
    this.level = level;
    this.within = within;
  }

  /** A page or a value of it was found. */
  expect(): void {
    this.#open += 1;
    this.within?.expect();
  }

  /** And visited, or left out. @throws BackupError `structure` where it was the last and the counts are wrong */
  visited(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#check();
    this.within?.visited();
  }

  /** @param items of a page; the record of a nested tree says to the tree that it is in how many it holds */
  count(kind: 'branch' | 'leaf', items: number): void {
    this.#items += items;
    for (const place of [this, this.within]) {
      if (place === undefined) continue;
      if (kind === 'leaf') place.#leaves += 1;
      else place.#branches += 1;
    }
  }

  countLarge(pages: number): void {
    this.#large += pages;
  }

  /** A part of it was not walked. */
  leaveOut(): void {
    this.#whole = false;
    if (this.within !== undefined) this.within.#whole = false;
  }

  #check(): void {
    if (!this.#whole) return;
    const { branchPages, leafPages, largePages, items, root } = this.tree;
    const [told, found] = [
      [branchPages, leafPages, largePages, items],
      [this.#branches, this.#leaves, this.#large, this.#items],
    ];
    if (told.every((count, index) => count === found[index])) return;
    throw broken(
      root,
      `${this.name}: its record tells ${told.join('/')} branches/leaves/large/items, ${found.join('/')} found`,
    );
  }
}
