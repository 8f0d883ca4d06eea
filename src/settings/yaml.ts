import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit, type YAMLMap } from 'yaml';
import { declarations } from './declarations.ts';
import type { SettingProblem } from './errors.ts';
import { emptyManifest, type Manifest } from './manifest/model.ts';
import {
  type ManifestReader,
  overlayBuckets,
  overlayTenants,
  readAdministrators,
  readManifestBuckets,
  readManifestTenants,
} from './manifest/read.ts';
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
  readonly manifest: Manifest;
}

const sections = new Map<string, Map<string, { readonly key: string; readonly file: boolean }>>();
for (const { key, yaml, secret } of declarations) {
  const [section, name] = yaml;
  const known = sections.get(section) ?? new Map<string, { readonly key: string; readonly file: boolean }>();
  known.set(name, { key, file: false });
  if (secret) known.set(`${name}File`, { key, file: true });
  sections.set(section, known);
}

/** Stands for the name of the chosen environment in any value. */
const PLACEHOLDER = ['$', '{environment}'].join('');

/**
 * Reads a bucketwright.yaml. Every problem has its line and column; none repeats a value, which may be a secret.
 * @param environment whose part of `environments` is laid over the rest
 */
export function readYaml(
  path: string,
  text: string,
  problems: SettingProblem[],
  environment: string | undefined,
): YamlSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const values = new Map<string, YamlValue>();
  const positionAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const originAt = (offset: number) => {
    const { line, column } = positionAt(offset);
    return `${path}:${line}:${column}`;
  };
  const refuse = (name: string, offset: number, problem: string, example?: string) => {
    problems.push({ name, origin: originAt(offset), problem, example });
  };
  const reader: ManifestReader = { document, refuse, originAt };
  let manifest: Manifest = { ...emptyManifest, environment };
  const result = (): YamlSettings => ({ path, values, manifest });
  // The library's own messages quote the text, which may be a secret; its codes do not.
  for (const error of document.errors) {
    refuse('bucketwright.yaml', error.pos[0], `not valid YAML: ${error.code.toLowerCase().replaceAll('_', ' ')}`);
  }
  const root = document.contents;
  if (document.errors.length > 0) return result();
  if (root === null || (isScalar(root) && root.value === null)) {
    if (environment !== undefined) refuse('environments', 0, `has no environment ${environment}`);
    return result();
  }
  if (!isMap(root)) {
    refuse('bucketwright.yaml', 0, 'must be a map of sections', 's3:');
    return result();
  }
  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  const offsetOf = (node: unknown, otherwise: number): number =>
    isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise;
  const isNothing = (node: unknown) => node === null || node === undefined || (isScalar(node) && node.value === null);

  readLayer(root, undefined);
  const overlay = overlayOf(root);
  if (overlay !== undefined) readLayer(overlay, environment);
  return result();

  /** The chosen environment's map. Those that are not chosen are not read further than their names. */
  function overlayOf(map: YAMLMap): YAMLMap | undefined {
    const pair = map.items.find(({ key }) => isScalar(key) && key.value === 'environments');
    const at = offsetOf(pair?.key, 0);
    const environments = resolved(pair?.value);
    if (!isNothing(environments) && !isMap(environments)) {
      refuse('environments', at, 'must be a map of environments', 'environments: { staging: { … } }');
      return undefined;
    }
    if (environment === undefined) return undefined;
    const names = isMap(environments)
      ? environments.items.map(({ key }) => (isScalar(key) ? String(key.value) : '?'))
      : [];
    const chosen = isMap(environments)
      ? environments.items.find(({ key }) => isScalar(key) && String(key.value) === environment)
      : undefined;
    if (chosen === undefined) {
      const near = suggest(environment, names);
      const known = names.length === 0 ? 'there is none' : `known are ${names.join(', ')}`;
      refuse(
        'environments',
        at,
        `has no environment ${environment}; ${near === undefined ? known : `did you mean ${near}?`}`,
      );
      return undefined;
    }
    const value = resolved(chosen.value);
    if (isNothing(value)) return undefined;
    if (isMap(value)) return value;
    refuse(`environments.${environment}`, offsetOf(chosen.key, at), 'must be a map of sections');
    return undefined;
  }

  /** @param layer the environment's name; undefined: the file's own level */
  function readLayer(map: YAMLMap, layer: string | undefined): void {
    const prefix = layer === undefined ? '' : `environments.${layer}.`;
    const inThisLayer = new Set<string>();
    for (const item of map.items) {
      const name = isScalar(item.key) ? String(item.key.value) : '?';
      const at = offsetOf(item.key, 0);
      if (name === 'environments' && layer === undefined) continue;
      const value = resolved(item.value);
      fillPlaceholders(name, value);
      if (name === 'buckets') {
        manifest = { ...manifest, buckets: overlayBuckets(manifest.buckets, readManifestBuckets(reader, value, at)) };
        continue;
      }
      if (name === 'tenants') {
        manifest = { ...manifest, tenants: overlayTenants(manifest.tenants, readManifestTenants(reader, value, at)) };
        continue;
      }
      if (name === 'administrators') {
        if (!isNothing(value)) manifest = { ...manifest, administrators: readAdministrators(reader, value, at) };
        continue;
      }
      const known = sections.get(name);
      if (known === undefined) {
        const lists = ['buckets', 'tenants', 'administrators'];
        const others = layer === undefined ? [...lists, 'environments'] : lists;
        refuse(`${prefix}${name}`, at, unknownKey(name, [...sections.keys(), ...others]));
        continue;
      }
      if (isNothing(value)) continue;
      if (!isMap(value)) {
        refuse(`${prefix}${name}`, at, 'must be a map', `${name}: { ${[...known.keys()][0]}: … }`);
        continue;
      }
      for (const entry of value.items) {
        const key = isScalar(entry.key) ? String(entry.key.value) : '?';
        const where = `${prefix}${name}.${key}`;
        const position = offsetOf(entry.key, at);
        const setting = known.get(key);
        if (setting === undefined) refuse(where, position, unknownKey(key, [...known.keys()]));
        else readEntry(where, setting, resolved(entry.value), position, inThisLayer);
      }
    }
  }

  /** Puts the environment's name where its placeholder stands. */
  function fillPlaceholders(name: string, node: unknown): void {
    if (!isNode(node)) return;
    visit(node, {
      Scalar(_key, scalar) {
        if (typeof scalar.value !== 'string' || !scalar.value.includes(PLACEHOLDER)) return;
        if (environment === undefined) {
          refuse(name, offsetOf(scalar, 0), `${PLACEHOLDER} needs an environment`, '--environment staging');
        }
        scalar.value = scalar.value.replaceAll(PLACEHOLDER, environment ?? 'environment');
      },
    });
  }

  function readEntry(
    name: string,
    setting: { readonly key: string; readonly file: boolean },
    value: unknown,
    at: number,
    inThisLayer: Set<string>,
  ): void {
    const text = scalarText(value);
    if (text === undefined) refuse(name, at, 'must be a single value');
    else if (text.trim() !== '') {
      if (inThisLayer.has(setting.key)) refuse(name, at, 'the value and its file are both set; remove one of them');
      inThisLayer.add(setting.key);
      const origin: Origin = { kind: 'yaml', path, ...positionAt(offsetOf(value, at)) };
      values.set(setting.key, { text: text.trim(), origin, file: setting.file });
    }
  }
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
