import { chunkSafetyDays, type Dependent, type LifecycleRule } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { type DesiredConfiguration, NONE, type Settings } from '../settings/index.ts';
import { type WantedPlace, wantedBuckets, wantedPlaces } from './wanted.ts';

/** Rules with such ids are ours: those that are no longer wanted are removed, all others are left alone. */
export const OUR_RULES = 'bucketwright-';

/** What one bucket should be. */
export interface DesiredBucket {
  readonly name: string;
  /** What it is for; empty: it is only listed in the manifest. */
  readonly uses: readonly string[];
  /** What the manifest says; attributes that it does not mention are left alone. */
  readonly configuration: DesiredConfiguration;
  /** Lifecycle rules that are added by themselves, as far as the provider can. */
  readonly defaults: readonly LifecycleRule[];
  readonly unmanagedRules: 'keep' | 'remove';
  /** What keeps its objects there, against which rules are judged. */
  readonly dependents: readonly Dependent[];
  /** Where the manifest has it; undefined: only settings name it. */
  readonly origin: string | undefined;
}

/** Days after which unfinished uploads go: long enough for the slowest, short enough not to cost. */
const ABORT_DAYS = 7;

/** The desired state: the buckets that the settings name and those of the manifest, each once. */
export function desiredBuckets(settings: Settings, profile: ProviderProfile): readonly DesiredBucket[] {
  const places = wantedPlaces(settings);
  return wantedBuckets(places).map((name) => {
    const entry = settings.manifest.buckets.find((bucket) => bucket.name === name);
    const here = places.filter(({ bucket, use }) => bucket === name && use !== 'bucketwright.yaml');
    const configuration = entry?.configuration ?? {};
    const rules = configuration.lifecycle === NONE ? [] : (configuration.lifecycle ?? []);
    const own = here.flatMap((place) => defaultRules(place, settings, configuration, profile));
    return {
      name,
      uses: here.map(({ use }) => use),
      configuration,
      defaults: own.filter(({ id }) => !rules.some((rule) => rule.id === id)),
      unmanagedRules: entry?.unmanagedRules ?? 'keep',
      dependents: here.map((place) => dependentOf(place, settings)),
      origin: entry?.origin,
    };
  });
}

function dependentOf({ use, prefix }: WantedPlace, { retention }: Settings): Dependent {
  switch (use) {
    case 'loki':
      return { use, prefix, retention: retention.logs };
    case 'tempo':
      return { use, prefix, retention: retention.traces };
    case 'backup':
      return { use, prefix, retention: undefined };
    default:
      return { use: 'artifacts', prefix, retention: undefined };
  }
}

function defaultRules(
  { use, prefix }: WantedPlace,
  settings: Settings,
  { versioning }: DesiredConfiguration,
  { features }: ProviderProfile,
): LifecycleRule[] {
  if (features.lifecycle === 'no') return [];
  const rule = { enabled: true, prefix, tags: {} };
  const rules: LifecycleRule[] = [];
  if (features['lifecycle-abort-uploads'] !== 'no') {
    rules.push({ ...rule, id: `${OUR_RULES}abort-uploads-${use}`, abortUploadsDays: ABORT_DAYS });
  }
  if (use === 'loki') {
    // The compactor deletes; this catches what it lost track of. Tempo's blocks can have no such net: see harmOf.
    const expireDays = chunkSafetyDays(settings.retention.logs);
    rules.push({ ...rule, id: `${OUR_RULES}loki-chunks`, prefix: `${prefix}fake/`, expireDays });
  }
  if (versioning === 'enabled' && (use === 'loki' || use === 'tempo') && features['lifecycle-noncurrent'] !== 'no') {
    // What they delete would otherwise stay as a noncurrent version for ever.
    rules.push({ ...rule, id: `${OUR_RULES}noncurrent-${use}`, noncurrentDays: 1 });
  }
  return rules;
}
