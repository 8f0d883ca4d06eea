import {
  type Credentials,
  type EffectiveValue,
  type Endpoint,
  formatOrigin,
  type S3Storage,
  type Settings,
  SettingsError,
  suggest,
} from '../settings/index.ts';
import type { ProviderProfile } from './profile.ts';
import { detect, providerNamed, providers } from './registry.ts';

/** An S3 API with everything decided: what the settings say, and where they say nothing, what the profile does. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly region: string;
  readonly forcePathStyle: boolean;
  readonly checksums: 'when-required' | 'when-supported';
  readonly provider: ProviderProfile;
}

/** @throws SettingsError when S3_PROVIDER names no profile */
export function resolveConnection(storage: S3Storage): Connection {
  const provider = storage.provider === undefined ? detect(storage.endpoint) : providerNamed(storage.provider);
  if (provider === undefined) throw unknownProvider(storage.provider ?? '', 'configured');
  return {
    endpoint: storage.endpoint,
    credentials: storage.credentials,
    region: storage.region ?? provider.regionOf(storage.endpoint.host) ?? provider.defaultRegion,
    forcePathStyle: storage.forcePathStyle ?? provider.pathStyle,
    checksums: provider.checksums,
    provider,
  };
}

/**
 * The effective values with what the provider's profile fills in.
 * @throws SettingsError when S3_PROVIDER names no profile
 */
export function resolveEffective(settings: Settings): readonly EffectiveValue[] {
  if (settings.storage.kind === 'filesystem') return settings.effective;
  const named = settings.effective.find(({ name, value }) => name === 'S3_PROVIDER' && value !== undefined);
  if (named?.value !== undefined && providerNamed(named.value) === undefined) {
    throw unknownProvider(named.value, formatOrigin(named.origin));
  }
  const connection = resolveConnection(settings.storage);
  const filled = new Map([
    ['S3_REGION', connection.region],
    ['S3_FORCE_PATH_STYLE', String(connection.forcePathStyle)],
    ['S3_PROVIDER', connection.provider.name],
  ]);
  return settings.effective.map((entry) => {
    const value = filled.get(entry.name);
    if (entry.origin.kind !== 'unset' || value === undefined) return entry;
    return { ...entry, value, origin: { kind: 'provider', profile: connection.provider.name } };
  });
}

function unknownProvider(name: string, origin: string): SettingsError {
  const known = providers.map((profile) => profile.name);
  const near = suggest(name, known);
  const problem = `no provider profile has this name; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`}`;
  return new SettingsError([{ name: 'S3_PROVIDER', origin, problem, example: 'hetzner' }]);
}
