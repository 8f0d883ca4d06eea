import { formatBytes } from '../../src/core/sizes.ts';

/** What a loop measured, printed at its end as the table that docs/how-to/verified-runs.md holds. */
export class Figures {
  readonly #title: string;
  readonly #rows: { readonly step: string; readonly milliseconds: number; readonly found: string }[] = [];

  constructor(title: string) {
    this.#title = title;
  }

  /** Runs a step and notes how long it took. */
  async time<T>(step: string, task: () => Promise<T>, found: (value: T) => string = () => ''): Promise<T> {
    const began = performance.now();
    const value = await task();
    this.#rows.push({ step, milliseconds: Math.round(performance.now() - began), found: found(value) });
    return value;
  }

  print(): void {
    const rows = this.#rows.map(({ step, milliseconds, found }) => `| ${step} | ${milliseconds} ms | ${found} |`);
    process.stdout.write(`\n### ${this.#title}\n\n| step | took | found |\n|---|--:|---|\n${rows.join('\n')}\n`);
  }
}

/** `3 objects, 12 KiB`. */
export function amount(objects: ReadonlyMap<string, number>): string {
  const bytes = [...objects.values()].reduce((sum, size) => sum + size, 0);
  return `${objects.size} objects, ${formatBytes(bytes)}`;
}
