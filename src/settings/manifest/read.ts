import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { z } from 'zod';
import { parseBucketName } from '../buckets.ts';
import type { DesiredConfiguration, ManifestBucket, ManifestTenant } from './model.ts';
import { administratorsSchema, bucketSchema, type ParsedBucket, type ParsedTenant, tenantSchema } from './schema.ts';

export interface ManifestReader {
  readonly document: Document;
  /** Reports one problem at an offset of the text. */
  refuse(name: string, offset: number, problem: string, example?: string): void;
  /** `file:line:column` of an offset. */
  originAt(offset: number): string;
}

/** The list `buckets` of one layer: names alone, or maps. A second entry of one name is a problem. */
export function readManifestBuckets(reader: ManifestReader, value: unknown, at: number): ManifestBucket[] {
  const buckets: ManifestBucket[] = [];
  for (const { node, offset, name } of itemsOf(reader, 'buckets', value, at, 'buckets: [acme-media]')) {
    const bucket = isMap(node) ? readBucket(reader, node, offset, name) : readName(reader, node, offset, name);
    if (bucket === undefined) continue;
    if (buckets.some((other) => other.name === bucket.name)) reader.refuse(name, offset, 'is named twice');
    else buckets.push(bucket);
  }
  return buckets;
}

function readName(reader: ManifestReader, node: unknown, offset: number, name: string): ManifestBucket | undefined {
  const text = isScalar(node) && node.value !== null ? String(node.source ?? node.value) : undefined;
  const parsed = text === undefined ? undefined : parseBucketName(isScalar(node) ? String(node.value) : text);
  if (parsed?.ok === true) {
    const origin = reader.originAt(offset);
    return { name: parsed.value, origin, configuration: {}, unmanagedRules: 'keep', ruleOrigins: new Map() };
  }
  reader.refuse(name, offset, parsed?.problem ?? 'must be a bucket name', 'acme-media');
  return undefined;
}

function readBucket(reader: ManifestReader, node: Node, offset: number, name: string): ManifestBucket | undefined {
  const parsed = parse<ParsedBucket>(reader, bucketSchema, node, offset, name);
  if (parsed === undefined) return undefined;
  const { name: bucket, unmanagedRules, ...configuration } = parsed;
  const ruleOrigins = new Map<string, string>();
  for (const [index, rule] of (parsed.lifecycle ?? []).entries()) {
    const where = offsetAt(reader, node, ['lifecycle', index], offset);
    if (ruleOrigins.has(rule.id))
      reader.refuse(`${name}.lifecycle[${index}]`, where, `the id ${rule.id} is used twice`);
    ruleOrigins.set(rule.id, reader.originAt(where));
  }
  const lock = configuration.objectLock !== undefined;
  if (lock && configuration.versioning !== undefined && configuration.versioning !== 'enabled') {
    const where = offsetAt(reader, node, ['versioning'], offset);
    reader.refuse(`${name}.versioning`, where, 'object lock needs versioning: enabled, for good');
  }
  return {
    name: bucket,
    origin: reader.originAt(offset),
    configuration: lock ? { ...configuration, versioning: 'enabled' } : configuration,
    unmanagedRules: unmanagedRules ?? 'keep',
    ruleOrigins,
  };
}

/** The list `tenants` of one layer. */
export function readManifestTenants(reader: ManifestReader, value: unknown, at: number): ManifestTenant[] {
  const tenants: ManifestTenant[] = [];
  for (const { node, offset, name } of itemsOf(
    reader,
    'tenants',
    value,
    at,
    'tenants: [{ name: acme, bucket: acme }]',
  )) {
    const parsed = parse<ParsedTenant>(reader, tenantSchema, node, offset, name);
    if (parsed === undefined) continue;
    if (tenants.some((other) => other.name === parsed.name)) {
      reader.refuse(name, offset, `the tenant ${parsed.name} is named twice`);
      continue;
    }
    const own = parsed.bucket === undefined ? [] : [{ bucket: parsed.bucket, prefix: '' }];
    const prefixes = (parsed.prefixes ?? []).map(({ bucket, prefix }) => ({ bucket, prefix: `${prefix}/` }));
    tenants.push({
      name: parsed.name,
      origin: reader.originAt(offset),
      places: [...own, ...prefixes],
      principals: parsed.principals ?? [],
      quotaBytes: parsed.quota,
      suspended: parsed.suspended ?? false,
    });
  }
  return tenants;
}

/** The list `administrators` of one layer; that of an environment counts instead of the file's. */
export function readAdministrators(reader: ManifestReader, value: unknown, at: number): readonly string[] {
  return parse<string[]>(reader, administratorsSchema, value, at, 'administrators') ?? [];
}

/** One layer over another: entries of one name are merged, attribute by attribute; rules by id, tags by key. */
export function overlayBuckets(base: readonly ManifestBucket[], over: readonly ManifestBucket[]): ManifestBucket[] {
  const merged = base.map((bucket) => {
    const layer = over.find(({ name }) => name === bucket.name);
    if (layer === undefined) return bucket;
    return {
      name: bucket.name,
      origin: layer.origin,
      configuration: overlayConfiguration(bucket.configuration, layer.configuration),
      unmanagedRules: layer.unmanagedRules === 'keep' ? bucket.unmanagedRules : layer.unmanagedRules,
      ruleOrigins: new Map([...bucket.ruleOrigins, ...layer.ruleOrigins]),
    };
  });
  return [...merged, ...over.filter(({ name }) => !base.some((bucket) => bucket.name === name))];
}

function overlayConfiguration(base: DesiredConfiguration, over: DesiredConfiguration): DesiredConfiguration {
  const { lifecycle, tags } = over;
  const rules = base.lifecycle;
  const mergeable = Array.isArray(lifecycle) && Array.isArray(rules);
  const ids = new Set(Array.isArray(lifecycle) ? lifecycle.map(({ id }) => id) : []);
  return {
    ...base,
    ...over,
    ...(mergeable ? { lifecycle: [...rules.filter(({ id }) => !ids.has(id)), ...lifecycle] } : {}),
    ...(typeof tags === 'object' && typeof base.tags === 'object' ? { tags: { ...base.tags, ...tags } } : {}),
  };
}

export function overlayTenants(base: readonly ManifestTenant[], over: readonly ManifestTenant[]): ManifestTenant[] {
  const names = new Set(over.map(({ name }) => name));
  return [...base.filter(({ name }) => !names.has(name)), ...over];
}

function* itemsOf(reader: ManifestReader, list: string, value: unknown, at: number, example: string) {
  if (value === null || value === undefined || (isScalar(value) && value.value === null)) return;
  if (!isSeq(value)) {
    reader.refuse(list, at, `must be a list of ${list === 'buckets' ? 'bucket names or maps' : 'maps'}`, example);
    return;
  }
  for (const [index, item] of value.items.entries()) {
    const node = isAlias(item) ? item.resolve(reader.document) : item;
    yield { node, offset: isNode(node) ? (node.range?.[0] ?? at) : at, name: `${list}[${index}]` };
  }
}

/** Parses a node's plain value; every issue is reported where the value is written. */
function parse<T>(
  reader: ManifestReader,
  schema: z.ZodType<T>,
  node: unknown,
  offset: number,
  name: string,
): T | undefined {
  const plain: unknown = isNode(node) ? node.toJS(reader.document) : node;
  const result = schema.safeParse(plain);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues.flatMap((issue) => innermost(issue, []))) {
    reader.refuse(`${name}${formatPath(path)}`, offsetAt(reader, node, path, offset), missing(message));
  }
  return undefined;
}

const missing = (message: string) =>
  message.replace(/^Invalid input: expected [^,]+, received undefined$/, 'is missing');

interface PlainIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Of a union, what is wrong with the member that came furthest, rather than that none fits. */
function innermost(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): PlainIssue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') return [{ path: [...path, issue.keys[0] ?? ''], message: issue.message }];
  if (issue.code !== 'invalid_union') return [{ path, message: issue.message }];
  const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map((one) => one.path.length));
  const best = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
  const strict = issue.errors.find((issues) => issues.some(({ code }) => code === 'unrecognized_keys'));
  if (best !== undefined && depth(best) > 0) return best.flatMap((one) => innermost(one, path));
  return strict?.flatMap((one) => innermost(one, path)) ?? [{ path, message: issue.message }];
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}

/** Where a path within a node is written; the deepest step that exists. */
function offsetAt(reader: ManifestReader, node: unknown, path: readonly PropertyKey[], otherwise: number): number {
  let current: unknown = node;
  let offset = otherwise;
  for (const step of path) {
    const resolved = isAlias(current) ? current.resolve(reader.document) : current;
    if (!isMap(resolved) && !isSeq(resolved)) break;
    const pair = isMap(resolved)
      ? resolved.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined;
    const next: unknown = isMap(resolved) ? (pair?.value ?? pair?.key) : resolved.get(Number(step), true);
    if (!isNode(next)) break;
    offset = next.range?.[0] ?? offset;
    current = next;
  }
  return offset;
}
