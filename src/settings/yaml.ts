import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { parseBucketName } from './buckets.ts';
import { declarations } from './declarations.ts';
import type { SettingProblem } from './errors.ts';
import type { Origin } from './origin.ts';
import { suggest } from './suggest.ts';

interface YamlValue {
  readonly text: string;
  readonly origin: Origin;
  /** The key was `<key>File`: the text is the path of a file that holds the value. */
  readonly file: boolean;
}

/** What a bucketwright.yaml says, checked for unknown keys but not yet for the values' types. */
export interface YamlSettings {
  readonly path: string;
  /** By setting key. */
  readonly values: ReadonlyMap<string, YamlValue>;
  readonly buckets: readonly string[];
}

const sections = new Map<string, Map<string, { readonly key: string; readonly file: boolean }>>();
for (const { key, yaml, secret } of declarations) {
  const [section, name] = yaml;
  const known = sections.get(section) ?? new Map<string, { readonly key: string; readonly file: boolean }>();
  known.set(name, { key, file: false });
  if (secret) known.set(`${name}File`, { key, file: true });
  sections.set(section, known);
}

/** Reads a bucketwright.yaml. Every problem has its line and column; none repeats a value, which may be a secret. */
export function readYaml(path: string, text: string, problems: SettingProblem[]): YamlSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const values = new Map<string, YamlValue>();
  const buckets: string[] = [];
  const positionAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refuse = (name: string, offset: number, problem: string, example?: string) => {
    const { line, column } = positionAt(offset);
    problems.push({ name, origin: `${path}:${line}:${column}`, problem, example });
  };
  // The library's own messages quote the text, which may be a secret; its codes do not.
  for (const error of document.errors) {
    refuse('bucketwright.yaml', error.pos[0], `not valid YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`);
  }
  const result: YamlSettings = { path, values, buckets };
  const root = document.contents;
  if (document.errors.length > 0 || root === null || (isScalar(root) && root.value === null)) return result;
  if (!isMap(root)) {
    refuse('bucketwright.yaml', 0, 'must be a map of sections', 's3:');
    return result;
  }
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const offsetOf = (node: unknown, otherwise: number): number =>
    isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise;

  for (const item of root.items) {
    const name = isScalar(item.key) ? String(item.key.value) : '?';
    const at = offsetOf(item.key, 0);
    const value = resolved(item.value);
    if (name === 'buckets') {
      readBuckets(value, at);
      continue;
    }
    const known = sections.get(name);
    if (known === undefined) {
      refuse(name, at, unknownKey(name, [...sections.keys(), 'buckets']));
      continue;
    }
    if (value === null || (isScalar(value) && value.value === null)) continue;
    if (!isMap(value)) {
      refuse(name, at, 'must be a map', `${name}: { ${[...known.keys()][0]}: … }`);
      continue;
    }
    for (const entry of value.items) {
      const key = isScalar(entry.key) ? String(entry.key.value) : '?';
      readEntry(`${name}.${key}`, known.get(key), [...known.keys()], resolved(entry.value), offsetOf(entry.key, at));
    }
  }
  return result;

  function readEntry(
    name: string,
    setting: { readonly key: string; readonly file: boolean } | undefined,
    known: readonly string[],
    value: unknown,
    at: number,
  ): void {
    if (setting === undefined) {
      refuse(name, at, unknownKey(name.slice(name.indexOf('.') + 1), known));
      return;
    }
    const text = scalarText(value);
    if (text === undefined) refuse(name, at, 'must be a single value');
    else if (text.trim() !== '') {
      if (values.has(setting.key)) refuse(name, at, 'the value and its file are both set; remove one of them');
      const origin: Origin = { kind: 'yaml', path, ...positionAt(offsetOf(value, at)) };
      values.set(setting.key, { text: text.trim(), origin, file: setting.file });
    }
  }

  function readBuckets(value: unknown, at: number): void {
    if (value === null || (isScalar(value) && value.value === null)) return;
    if (!isSeq(value)) {
      refuse('buckets', at, 'must be a list of bucket names', 'buckets: [acme-media]');
      return;
    }
    for (const [index, item] of value.items.entries()) {
      const node = resolved(item);
      const text = scalarText(node);
      const parsed = text === undefined ? undefined : parseBucketName(text);
      const position = offsetOf(node, at);
      if (parsed === undefined) refuse(`buckets[${index}]`, position, 'must be a bucket name', 'acme-media');
      else if (!parsed.ok) refuse(`buckets[${index}]`, position, parsed.problem, 'acme-media');
      else if (buckets.includes(parsed.value)) refuse(`buckets[${index}]`, position, 'is named twice');
      else buckets.push(parsed.value);
    }
  }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

/** A scalar as it was written: `9000`, `true`, `31d`; empty for null. Undefined for anything else. */
function scalarText(node: unknown): string | undefined {
  if (node === null || node === undefined) return '';
  if (!isScalar(node)) return undefined;
  if (node.value === null) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function unknownKey(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return near === undefined ? `unknown key; known are ${known.join(', ')}` : `unknown key; did you mean ${near}?`;
}
