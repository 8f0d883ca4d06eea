/** An `mc` command line, read as MinIO's client reads it: options anywhere, `--name value` or `--name=value`. */
export interface ClientArguments {
  /** `alias set`, `mb`; MinIO's older names of the same as today's. */
  readonly command: string;
  readonly operands: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** Options that are not known: what they ask for would silently not happen. */
  readonly unknown: readonly string[];
}

/** Commands whose second word belongs to their name. */
const nouns = new Set(['alias', 'anonymous', 'version', 'admin', 'ilm', 'policy', 'config', 'event', 'replicate']);

/** Options that change nothing here; whether a value follows. */
const harmless: ReadonlyMap<string, boolean> = new Map([
  ['quiet', false],
  ['q', false],
  ['json', false],
  ['debug', false],
  ['no-color', false],
  ['disable-pager', false],
  ['dp', false],
  ['insecure', false],
  ['api', true],
  ['path', true],
]);

/** Options that count; whether a value follows. */
const known: ReadonlyMap<string, readonly [name: string, valued: boolean]> = new Map([
  ['config-dir', ['config-dir', true]],
  ['C', ['config-dir', true]],
  ['ignore-existing', ['ignore-existing', false]],
  ['p', ['ignore-existing', false]],
  ['region', ['region', true]],
  ['recursive', ['recursive', false]],
  ['r', ['recursive', false]],
]);

/** What is called otherwise in older compose files. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['config host add', 'alias set'],
  ['config host', 'alias list'],
  ['policy set', 'anonymous set'],
  ['alias s', 'alias set'],
  ['alias ls', 'alias list'],
  ['alias rm', 'alias remove'],
]);

/** Never throws: what is not known is in `unknown`, or is refused by its command's name. */
export function parseClientArguments(args: readonly string[]): ClientArguments {
  const words: string[] = [];
  const options = new Map<string, string>();
  const unknown: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    const match = /^--?([A-Za-z][A-Za-z-]*)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      words.push(argument);
      continue;
    }
    const [, name = '', inline] = match;
    const entry = known.get(name);
    const valued = entry?.[1] ?? harmless.get(name);
    if (valued === undefined) {
      unknown.push(argument.replace(/=.*/s, ''));
      continue;
    }
    let value = inline ?? '';
    if (valued && inline === undefined) {
      at += 1;
      value = args[at] ?? '';
    }
    if (entry !== undefined) options.set(entry[0], value);
  }
  const length = words[0] === 'config' ? 3 : nouns.has(words[0] ?? '') ? 2 : 1;
  const command = words.slice(0, length).join(' ');
  return { command: renamed.get(command) ?? command, operands: words.slice(length), options, unknown };
}

/** What to do about what this `mc` does not have. */
export const clientAdvice =
  "it has alias set, list and remove, mb, ls, ready, version enable and suspend, anonymous set and none besides; make users, rules and copies with any S3 client (bucketwright transfer copies), or use MinIO's own mc";
