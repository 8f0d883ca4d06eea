/**
 * Writes the tables of accepted configuration keys under src/observability/keys/ from the programs' own references:
 *
 *   node script/accepted-keys.mjs loki 3.7.6 docs/sources/shared/configuration.md   (from Loki's repository at that tag)
 *   node script/accepted-keys.mjs tempo 3.0.3 KEYS.yml
 *
 * KEYS.yml has every key of Tempo's configuration structs: `key: 0` for a value, `key: []` for a list or a map of any
 * keys. The manifest that Tempo publishes is no source: it leaves out what is empty by default, such as
 * `multitenancy_enabled` or `overrides.defaults.metrics_generator.processors`.
 *
 * The notation is read by src/observability/keys/accepted.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';

const [program, version, path] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');

/** The blocks that the reference names in a type, by its spelling there. */
const spellings = {
  period_configs: 'period_config',
  attributes_configs: 'attributes_config',
  NamedFilesystemStorageConfig: 'local_storage_config',
};

/** Keys that Loki takes and its reference hides, by block: read in the structs of its configuration. */
const hidden = {
  root: [
    'http_prefix',
    'internal_server:*',
    'compactor_client:*',
    'legacy_read_target',
    'kafka_config.address',
    'kafka_config.client_id',
  ],
  distributor: ['instance_id', 'instance_port', 'instance_addr', 'instance_enable_ipv6'].map((key) => `ring.${key}`),
  ruler: ['instance_id', 'instance_port', 'instance_addr', 'instance_enable_ipv6'].map((key) => `ring.${key}`),
  frontend: ['address', 'port'],
  bloom_build: ['planner.retention.max_lookback_days', 'builder.working_directory'],
  bloom_gateway: ['fetch_blocks_async'],
  cache_config: ['prefix'],
  storage_config: ['bloom_shipper.memory_management:*'],
  limits_config: ['ruler_alertmanager_config:*', 'policy_override_limits:*'],
};

/** Adds a key at a dotted path; the blocks above it must be there. */
function addKey(tree, path) {
  const [step, ...rest] = path.split('.');
  if (rest.length === 0) tree.children.push({ key: step, children: [] });
  else
    addKey(
      tree.children.find(({ key }) => key === step),
      rest.join('.'),
    );
}

function suffix(type, blocks) {
  const name = /^<(?:map of string to |list of )?([\w]+)(?:\.\.\.)?>/.exec(type)?.[1] ?? '';
  const block = blocks.has(spellings[name] ?? name) ? (spellings[name] ?? name) : undefined;
  if (type.startsWith('<map of')) return `:*${block === undefined ? '' : `$${block}`}`;
  if (block !== undefined) return `:$${block}`;
  if (/^<(?:list of (?!strings)|headers|Regexp|\w*[Cc]onfig\.\.\.|\w+\.\.\.|RemoteWriteConfig)/.test(type)) return ':*';
  return '';
}

function lokiBlocks() {
  const lines = new Map();
  let name;
  let open = false;
  for (const line of text.split('\n')) {
    const heading = /^### (.*)$/.exec(line)?.[1];
    if (heading !== undefined) name = heading.startsWith('Supported contents') ? 'root' : heading.trim();
    else if (line.startsWith('```yaml') && name !== undefined && !lines.has(name)) {
      lines.set(name, []);
      open = true;
    } else if (line.startsWith('```')) open = false;
    else if (open) lines.get(name).push(line);
  }
  const headings = ['Use environment variables in the configuration', 'Generic placeholders'];
  for (const heading of headings) lines.delete(heading);
  const blocks = new Map([...lines].map(([block, body]) => [block, lokiTree(body, lines)]));
  for (const [block, paths] of Object.entries(hidden)) {
    for (const path of paths) addKey(blocks.get(block), path);
  }
  return blocks;
}

function lokiTree(body, blocks) {
  const top = { children: [] };
  const stack = [{ indent: -1, node: top }];
  for (const line of body) {
    const trimmed = line.trim().replace(/^- /, '');
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const indent = line.search(/\S/);
    while (stack.at(-1).indent >= indent) stack.pop();
    const parent = stack.at(-1).node;
    const leaf = /^\[(\w+): (.*)\]$/.exec(trimmed);
    const inline = /^\[<(\w+)>\]$/.exec(trimmed);
    const branch = /^(\w+):$/.exec(trimmed);
    if (leaf) parent.children.push({ key: leaf[1] + suffix(leaf[2], blocks), children: [] });
    else if (inline) parent.children.push({ key: `+${inline[1]}`, children: [] });
    else if (trimmed.startsWith('[: <map')) parent.free = true;
    else if (branch) {
      const node = { key: branch[1], children: [] };
      parent.children.push(node);
      stack.push({ indent, node });
    }
  }
  return top;
}

function tempoTree(value) {
  const children = Object.entries(value).map(([key, child]) => {
    if (child === null || Array.isArray(child)) return { key: `${key}:*`, children: [] };
    if (typeof child !== 'object') return { key, children: [] };
    return Object.keys(child).length === 0 ? { key: `${key}:*`, children: [] } : { key, ...tempoTree(child) };
  });
  return { children };
}

const show = (node) =>
  node.children
    .map((child) => child.key + (child.free ? ':*' : child.children.length > 0 ? `{${show(child)}}` : ''))
    .join(' ');

function wrap(line) {
  const out = [''];
  for (const word of line.split(' ')) {
    if (out.at(-1).length + word.length > 116) out.push(`  ${word}`);
    else out[out.length - 1] += `${out.at(-1) === '' ? '' : ' '}${word}`;
  }
  return out.join('\n');
}

const blocks = program === 'loki' ? lokiBlocks() : new Map([['root', tempoTree(parse(text))]]);
const body = [...blocks].map(([name, tree]) => wrap(`${name}= ${show(tree)}`)).join('\n');
const minor = version.split('.').slice(0, 2).join('.');
writeFileSync(
  `src/observability/keys/${program}-${minor}.ts`,
  `/**\n * Generated by script/accepted-keys.mjs from ${program === 'loki' ? 'the configuration reference' : 'the configuration structs'} of ${program} ${version}. The notation is that of\n * accepted.ts.\n */\nexport const ${program}Keys = \`\n${body}\n\`;\n`,
);
