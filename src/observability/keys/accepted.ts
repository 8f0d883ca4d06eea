/**
 * Which keys a program's configuration file may hold. A table is text, one block a line (lines that start with two
 * spaces continue the one before):
 *
 *   name= key key{nested keys} key:$block key:*$block key:* +block
 *
 * `key:$block` holds what the block holds, or a list of it; `key:*$block` a map from any name to it; `key:*` anything;
 * `+block` includes the block's keys here. The first block must be `root`.
 */
export interface KeyTree {
  readonly children: ReadonlyMap<string, KeyTree>;
  /** Block names whose keys are accepted here too. */
  readonly blocks: readonly string[];
  /** Any key is accepted, and holds this; undefined: only `children` and `blocks` count. */
  readonly anyKey: KeyTree | 'anything' | undefined;
}

export type KeyTable = ReadonlyMap<string, KeyTree>;

const leaf: KeyTree = { children: new Map(), blocks: [], anyKey: undefined };
const anything: KeyTree = { ...leaf, anyKey: 'anything' };

/**
 * Reads a table in the notation above.
 * @throws TypeError when the text is not in that notation: tables are ours
 */
export function parseKeyTable(text: string): KeyTable {
  const table = new Map<string, KeyTree>();
  for (const line of text
    .trim()
    .replace(/\n {2}/g, ' ')
    .split('\n')) {
    const match = /^(\w+)= ?(.*)$/.exec(line);
    if (match?.[1] === undefined) throw new TypeError(`not a block of keys: ${line.slice(0, 60)}`);
    table.set(match[1], parseBlock(match[2] ?? ''));
  }
  return table;
}

function parseBlock(text: string): KeyTree {
  interface Open {
    readonly children: Map<string, KeyTree>;
    readonly blocks: string[];
    readonly anyKey: undefined;
  }
  const open = (): Open => ({ children: new Map(), blocks: [], anyKey: undefined });
  const stack: Open[] = [open()];
  const tokens = text.match(/\+\w+|\w+(?::\*?(?:\$\w+)?)?\{?|\}/g) ?? [];
  for (const token of tokens) {
    const here = stack.at(-1);
    if (here === undefined) throw new TypeError('more } than {');
    if (token === '}') stack.pop();
    else if (token.startsWith('+')) here.blocks.push(token.slice(1));
    else if (token.endsWith('{')) {
      const nested = open();
      here.children.set(token.slice(0, -1), nested);
      stack.push(nested);
    } else {
      const [key = '', type] = token.split(':');
      here.children.set(key, holds(type));
    }
  }
  const root = stack[0];
  if (stack.length !== 1 || root === undefined) throw new TypeError('{ and } do not match');
  return root;
}

function holds(type: string | undefined): KeyTree {
  if (type === undefined) return leaf;
  if (type === '*') return anything;
  if (type.startsWith('*$')) return { ...leaf, anyKey: { ...leaf, blocks: [type.slice(2)] } };
  return { ...leaf, blocks: [type.slice(1)] };
}

/** What a key holds, or undefined where the block does not accept it. */
function lookUp(table: KeyTable, tree: KeyTree, key: string): KeyTree | 'anything' | undefined {
  const own = tree.children.get(key);
  if (own !== undefined) return own;
  for (const block of tree.blocks) {
    const included = table.get(block);
    const found = included === undefined ? undefined : lookUp(table, included, key);
    if (found !== undefined) return found;
  }
  return tree.anyKey;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The paths of a configuration (`storage_config.aws.bucket_names`) that the table does not accept, in file order. */
export function unknownKeys(table: KeyTable, configuration: unknown): string[] {
  const root = table.get('root');
  if (root === undefined) throw new TypeError('a table of keys needs a root');
  const unknown: string[] = [];
  const visit = (tree: KeyTree, value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(tree, item, `${path}[${index}]`);
    if (!isMap(value) || tree.anyKey === 'anything') return;
    for (const [key, child] of Object.entries(value)) {
      const here = path === '' ? key : `${path}.${key}`;
      const found = lookUp(table, tree, key);
      if (found === undefined) unknown.push(here);
      else if (found !== 'anything') visit(found, child, here);
    }
  };
  visit(root, configuration, '');
  return unknown;
}

/** The keys that are accepted beside the one at this path: for "did you mean". */
export function siblingKeys(table: KeyTable, path: string): string[] {
  const steps = path
    .replace(/\[\d+\]/g, '')
    .split('.')
    .slice(0, -1);
  let tree: KeyTree | 'anything' | undefined = table.get('root');
  for (const step of steps) {
    if (tree === undefined || tree === 'anything') return [];
    tree = lookUp(table, tree, step);
  }
  return tree === undefined || tree === 'anything' ? [] : ownKeys(table, tree);
}

function ownKeys(table: KeyTable, tree: KeyTree): string[] {
  return [...tree.children.keys(), ...tree.blocks.flatMap((block) => ownKeys(table, table.get(block) ?? leaf))];
}
