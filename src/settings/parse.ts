import { Secret } from '../core/secret.ts';
import { type BucketTarget, prefixesOverlap, type Use, uses } from './buckets.ts';
import { declarations, type SettingValues, settingsSchema } from './declarations.ts';
import { isPrivateHost } from './endpoint.ts';
import { type SettingProblem, SettingsError } from './errors.ts';
import { crossCheck } from './manifest/cross-checks.ts';
import { emptyManifest, type Manifest } from './manifest/model.ts';
import { formatOrigin, type Origin } from './origin.ts';
import type { EffectiveValue, Settings } from './settings.ts';
import { collect, type RawValue, type Sources } from './sources.ts';
import { storageFrom } from './storage.ts';
import { readYaml } from './yaml.ts';

export interface SettingsInput {
  /** By setting key (`endpoint`). */
  readonly flags?: ReadonlyMap<string, string> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The bucketwright.yaml, where there is one. */
  readonly yaml?: { readonly path: string; readonly text: string } | undefined;
  /** Whose part of the file's `environments` counts; default: what BUCKETWRIGHT_ENVIRONMENT says. */
  readonly overlay?: string | undefined;
  /**
   * `client` (the default): a partly configured S3 API is a problem. `server`: the embedded server makes its own
   * endpoint and keys, so only half a key pair is one.
   */
  readonly role?: 'client' | 'server' | undefined;
}

/**
 * Reads every setting from its sources: flag, environment, NAME_FILE, bucketwright.yaml, default, in this order.
 * @throws SettingsError with all problems at once
 */
export function parseSettings(input: SettingsInput): Settings {
  const problems: SettingProblem[] = [];
  const overlay = input.overlay ?? (input.environment.BUCKETWRIGHT_ENVIRONMENT?.trim() || undefined);
  if (overlay !== undefined && input.yaml === undefined) {
    const problem = `the environment ${overlay} needs a bucketwright.yaml that has it`;
    problems.push({
      name: 'environments',
      origin: 'BUCKETWRIGHT_ENVIRONMENT or --environment',
      problem,
      example: undefined,
    });
  }
  const manifest = (): Manifest => yaml?.manifest ?? emptyManifest;
  const yaml = input.yaml === undefined ? undefined : readYaml(input.yaml.path, input.yaml.text, problems, overlay);
  const sources: Sources = { flags: input.flags ?? new Map(), environment: input.environment, yaml };
  const raw = collect(sources, problems);
  const { values, broken } = parseValues(raw, problems);
  const set = (key: string) => raw.has(key) || broken.has(key);
  const buckets = bucketTargets(values, raw, broken, problems);
  const context = { values, set, broken, origin: (key: string) => originOf(raw, key), problems };
  if (values.insecure === true && values.endpoint !== undefined && !isPrivateHost(values.endpoint.host)) {
    problems.push({
      name: 'S3_INSECURE',
      origin: formatOrigin(originOf(raw, 'insecure')),
      problem: `true is refused towards ${values.endpoint.host}: only loopback, private-network addresses and single-label host names may be spoken to without TLS`,
      example: 'false',
    });
  } else if (values.endpoint?.scheme === 'http' && values.insecure === false) {
    problems.push({
      name: 'S3_ENDPOINT',
      origin: formatOrigin(originOf(raw, 'endpoint')),
      problem: 'http:// needs S3_INSECURE=true',
      example: `https://${values.endpoint.authority}`,
    });
  }
  const { tlsCertificate, tlsKey } = values;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    const [there, missing] =
      tlsKey === undefined
        ? (['tlsCertificate', 'BUCKETWRIGHT_TLS_KEY'] as const)
        : (['tlsKey', 'BUCKETWRIGHT_TLS_CERT'] as const);
    problems.push({
      name: missing,
      origin: formatOrigin(originOf(raw, there)),
      problem: 'a certificate and its key go together: set both or neither',
      example: undefined,
    });
  }
  const storage = storageFrom(context, input.role ?? 'client');
  const {
    logRetention,
    traceRetention,
    data,
    listen,
    adminListen,
    durability,
    outageMode,
    abandonedUploadAge,
    lifecycleDay,
    processes,
    maxRequests,
    maxRequestsPerClient,
    objectOwnership,
  } = values;
  crossCheck({ manifest: manifest(), buckets, retention: { logs: logRetention, traces: traceRetention } }, problems);
  const incomplete =
    storage === undefined ||
    logRetention === undefined ||
    traceRetention === undefined ||
    data === undefined ||
    listen === undefined ||
    adminListen === undefined ||
    durability === undefined ||
    abandonedUploadAge === undefined ||
    lifecycleDay === undefined ||
    processes === undefined ||
    maxRequests === undefined ||
    maxRequestsPerClient === undefined ||
    objectOwnership === undefined ||
    outageMode === undefined;
  if (problems.length > 0 || incomplete) throw new SettingsError(redact(problems, raw));
  const { accessKeyId, secretAccessKey } = values;
  return {
    storage,
    buckets,
    manifest: manifest(),
    backupPassphrase: values.backupPassphrase,
    backupKey: values.backupKey,
    backupLock: values.backupLock,
    outageMode,
    retention: { logs: logRetention, traces: traceRetention },
    server: {
      data,
      listen,
      adminListen,
      buckets: values.startBuckets ?? [],
      durability,
      abandonedUploadAge,
      lifecycleDay,
      tls:
        tlsCertificate === undefined || tlsKey === undefined ? undefined : { certificate: tlsCertificate, key: tlsKey },
      processes,
      maxRequests,
      maxRequestsPerClient,
      objectOwnership,
      serverKey: values.serverKey,
      domain: values.domain,
      region: values.region,
      credentials:
        accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey },
    },
    effective: effectiveValues(raw, values, buckets),
  };
}

/** Types each text. A broken one becomes a problem and is left out, so that the rules between settings see the rest. */
function parseValues(raw: ReadonlyMap<string, RawValue>, problems: SettingProblem[]) {
  const texts = new Map<string, string>();
  for (const declaration of declarations) {
    const text = raw.get(declaration.key)?.text ?? declaration.default;
    if (text !== undefined) texts.set(declaration.key, text);
  }
  const broken = new Set<string>();
  const first = settingsSchema.safeParse(Object.fromEntries(texts));
  if (first.success) return { values: first.data, broken };
  for (const issue of first.error.issues) {
    const key = String(issue.path[0]);
    const declaration = declarations.find((candidate) => candidate.key === key);
    if (declaration === undefined || broken.has(key)) continue;
    broken.add(key);
    texts.delete(key);
    problems.push({
      name: declaration.env,
      origin: formatOrigin(originOf(raw, key)),
      problem: issue.message,
      example: declaration.example,
    });
  }
  return { values: settingsSchema.parse(Object.fromEntries(texts)), broken };
}

function originOf(raw: ReadonlyMap<string, RawValue>, key: string): Origin {
  const found = raw.get(key);
  if (found !== undefined) return found.origin;
  const declaration = declarations.find((candidate) => candidate.key === key);
  return { kind: declaration?.default === undefined ? 'unset' : 'default' };
}

function bucketTargets(
  values: SettingValues,
  raw: ReadonlyMap<string, RawValue>,
  broken: ReadonlySet<string>,
  problems: SettingProblem[],
): Readonly<Record<Use, BucketTarget>> {
  const names: Record<Use, string> = {
    loki: values.lokiBucket ?? '',
    tempo: values.tempoBucket ?? '',
    backup: values.backupBucket ?? '',
    artifacts: values.artifactsBucket ?? '',
  };
  const prefixes: Record<Use, string | undefined> = {
    loki: values.lokiPrefix,
    tempo: values.tempoPrefix,
    backup: values.backupPrefix,
    artifacts: values.artifactsPrefix,
  };
  const target = (use: Use): BucketTarget => {
    const shared = uses.some((other) => other !== use && names[other] === names[use]);
    const prefixName = prefixes[use] || (shared ? use : '');
    return {
      bucket: names[use],
      prefixName,
      prefix: prefixName === '' ? '' : `${prefixName}/`,
      explicit: raw.has(`${use}Bucket`),
    };
  };
  const targets = {
    loki: target('loki'),
    tempo: target('tempo'),
    backup: target('backup'),
    artifacts: target('artifacts'),
  };
  for (const [index, use] of uses.entries()) {
    for (const other of uses.slice(index + 1)) {
      const [a, b] = [targets[use], targets[other]];
      if (a.bucket === '' || a.bucket !== b.bucket || !prefixesOverlap(a.prefixName, b.prefixName)) continue;
      if (broken.has(`${use}Prefix`) || broken.has(`${other}Prefix`)) continue;
      const [name, second] = [`S3_PREFIX_${use.toUpperCase()}`, `S3_PREFIX_${other.toUpperCase()}`];
      problems.push({
        name: second,
        origin: formatOrigin(originOf(raw, `${other}Prefix`)),
        problem: `the bucket ${a.bucket} is shared, and ${second} (${b.prefix}) lies within ${name} (${a.prefix}) or the other way round; give each a prefix outside the other`,
        example: `${name}=${use}/ ${second}=${other}/`,
      });
    }
  }
  return targets;
}

function effectiveValues(
  raw: ReadonlyMap<string, RawValue>,
  values: SettingValues,
  buckets: Readonly<Record<Use, BucketTarget>>,
): readonly EffectiveValue[] {
  const prefixUse = new Map(uses.map((use) => [`${use}Prefix`, use]));
  return declarations.map((declaration) => {
    const found = raw.get(declaration.key);
    const use = prefixUse.get(declaration.key);
    let value = found?.text ?? declaration.default;
    let origin = originOf(raw, declaration.key);
    if (use !== undefined) {
      value = buckets[use].prefix === '' ? undefined : buckets[use].prefix;
      if (found === undefined && value !== undefined) origin = { kind: 'default' };
    }
    if (declaration.key === 'endpoint') value = values.endpoint?.url;
    if (declaration.secret && found !== undefined) value = 'set';
    return { name: declaration.env, yaml: declaration.yaml.join('.'), value, secret: declaration.secret, origin };
  });
}

/** A last guard: a secret that was put into the wrong setting does not come out in a message about it. */
function redact(problems: readonly SettingProblem[], raw: ReadonlyMap<string, RawValue>): readonly SettingProblem[] {
  const whole = declarations.flatMap(({ key, secret }) => (secret ? [raw.get(key)?.text ?? ''] : []));
  // Lists are cut: an entry of one may be a piece of a secret.
  const secrets = [...whole, ...whole.flatMap((text) => text.split(/[\s,;]+/))];
  const clean = (text: string) =>
    secrets.reduce(
      (result, value) => (value.length < 3 ? result : result.replaceAll(value, `${new Secret(value)}`)),
      text,
    );
  return problems.map((entry) => ({ ...entry, origin: clean(entry.origin), problem: clean(entry.problem) }));
}
