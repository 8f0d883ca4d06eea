import { inspect } from 'node:util';

/**
 * A value that no log, error, JSON document or debugger output may show. Redaction is by type: `toString`, `toJSON` and
 * `util.inspect` answer a placeholder, and only `reveal()` gives the value, so every use can be found by its name.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
