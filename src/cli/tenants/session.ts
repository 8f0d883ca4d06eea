import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import { type Connection, resolveConnection } from '../../providers/index.ts';
import { wantedBuckets, wantedPlaces } from '../../provision/wanted.ts';
import { NONE, parseSettings, type Settings, type SettingsInput } from '../../settings/index.ts';
import type { TenantPlan } from '../../tenants/index.ts';
import { UserStore } from '../../users/index.ts';
import { type CliContext, noun, settingsInput } from '../context.ts';

export const tenantNoun = (program: Command): Command =>
  noun(program, 'tenant', 'Who has which bucket or prefix to itself, and proof that nobody else has.');

/** The configuration as a command may change it. */
export interface ManifestText {
  readonly input: SettingsInput;
  readonly path: string;
  /** Empty: there is no file yet. */
  readonly text: string;
}

export function manifestText(command: Command, context: CliContext): ManifestText {
  const input = settingsInput(command, context, 'client');
  return { input, path: input.yaml?.path ?? 'bucketwright.yaml', text: input.yaml?.text ?? '' };
}

/** @throws SettingsError */
export function settingsOf({ input, path }: ManifestText, text: string): Settings {
  return parseSettings({ ...input, yaml: text === '' ? input.yaml : { path, text } });
}

/** @throws UsageError where no S3 API is configured */
export function connectionOf({ storage }: Settings): Connection {
  if (storage.kind === 's3') return resolveConnection(storage);
  throw new UsageError('tenants need an S3 API, and none is configured', {
    advice:
      'set S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY; of the embedded server: set -a; . data/s3.env; set +a',
  });
}

/** The users of our own server; undefined where tenants are no users of it. @throws UsageError */
export function tenantUsers(settings: Settings, { provider }: Connection): UserStore | undefined {
  if (provider.isolation !== 'users') return undefined;
  const data = resolve(settings.server.data);
  if (!existsSync(join(data, 'FORMAT'))) {
    throw new UsageError(`${data} is no data directory of a server`, {
      subject: data,
      advice: 'set BUCKETWRIGHT_DATA to that of the server behind S3_ENDPOINT, and run the command there',
    });
  }
  return new UserStore(data, settings.server.serverKey);
}

/** Looks and plans; changes nothing. @throws ClientError */
export async function planFor(
  settings: Settings,
  connection: Connection,
  client: Parameters<typeof import('../../tenants/index.ts').readTenancy>[0],
  users: UserStore | undefined,
  removed: readonly string[],
): Promise<TenantPlan> {
  const { planTenants, readTenancy, tenantBuckets } = await import('../../tenants/index.ts');
  const { manifest } = settings;
  const wanted = wantedBuckets(wantedPlaces(settings));
  const own = tenantBuckets(manifest.tenants);
  const live = await readTenancy(client, connection, [...new Set([...own, ...wanted])], users?.list());
  return planTenants({
    tenants: manifest.tenants,
    administrators: manifest.administrators,
    profile: connection.provider,
    keyId: connection.credentials.accessKeyId.reveal(),
    otherBuckets: wanted.filter((bucket) => !own.includes(bucket)),
    managedPolicies: manifest.buckets
      .filter(({ configuration }) => configuration.policy !== undefined && configuration.policy !== NONE)
      .map(({ name }) => name),
    removed,
    live,
  });
}
