import { invalidArgument, S3Error } from './errors.ts';
import { percentDecode } from './wire/text.ts';

/** More parameters than any S3 request has; a bound so that a look-up stays cheap. */
const MAX_PARAMETERS = 100;

/** The parameters of a query string, decoded. Built by hand: most requests have none or few, and order is kept. */
export class Query {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  static readonly empty = new Query([], []);

  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  get size(): number {
    return this.#names.length;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /**
   * The value of a parameter, empty for a bare word.
   * @throws S3Error `InvalidArgument` when it is given twice: no client means both.
   */
  get(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    if (at === -1) return undefined;
    const value = this.#values[at] ?? '';
    if (this.#names.indexOf(name, at + 1) !== -1) {
      throw invalidArgument(name, value, `The parameter ${name} was given more than once.`);
    }
    return value;
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (const [at, name] of this.#names.entries()) yield [name, this.#values[at] ?? ''];
  }
}

/**
 * Parses what stands after the `?`. `+` is a space, as in S3.
 * @throws S3Error `InvalidURI` for a broken escape or bytes that are not UTF-8
 */
export function parseQuery(raw: string): Query {
  if (raw === '') return Query.empty;
  const names: string[] = [];
  const values: string[] = [];
  for (const pair of raw.split('&', MAX_PARAMETERS + 1)) {
    if (pair === '') continue;
    if (names.length === MAX_PARAMETERS) throw new S3Error('InvalidURI', 'Too many query parameters.');
    const equals = pair.indexOf('=');
    const name = percentDecode(equals === -1 ? pair : pair.slice(0, equals), 'space');
    const value = equals === -1 ? '' : percentDecode(pair.slice(equals + 1), 'space');
    if (name === undefined || value === undefined) throw new S3Error('InvalidURI');
    names.push(name);
    values.push(value);
  }
  return new Query(names, values);
}
