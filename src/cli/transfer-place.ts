import { createClient } from '../client/index.ts';
import { UsageError } from '../core/errors.ts';
import { type Connection, resolveConnection } from '../providers/index.ts';
import { parseSettings, SettingsError, type SettingsInput } from '../settings/index.ts';
import { bucketPlace, directoryPlace, type Location, type Place } from '../transfer/index.ts';

export interface PlaceOptions {
  readonly role: 'source' | 'destination';
  /** `--source-endpoint`, `--destination-endpoint`. */
  readonly endpoint: string | undefined;
  /** The settings of the command, for places that say no other. */
  readonly settings: () => SettingsInput;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Connections at once. */
  readonly sockets: number;
}

/**
 * A location's place, with the endpoint and keys that belong to it: `NAME_S3_…` of `s3+NAME://`, else `SOURCE_S3_…` or
 * `DESTINATION_S3_…` where one of them is set or an endpoint is named, else the settings.
 * @throws SettingsError, UsageError
 */
export function placeOf(location: Location, options: PlaceOptions): { place: Place; endpoint: string | undefined } {
  if (location.kind === 'directory') return { place: directoryPlace(location.path), endpoint: undefined };
  const connection = connectionOf(location.connection, options);
  const client = createClient(connection, { sockets: options.sockets });
  const { url } = connection.endpoint;
  const tags = connection.provider.features['object-tagging'] !== 'no';
  return {
    place: bucketPlace({ client, endpoint: url, bucket: location.bucket, prefix: location.prefix, tags }),
    endpoint: url,
  };
}

function connectionOf(named: string | undefined, options: PlaceOptions): Connection {
  const { environment, endpoint, role } = options;
  const scope = `${(named ?? role).toUpperCase().replaceAll('-', '_')}_`;
  const own = Object.entries(environment).filter(([name, value]) => name.startsWith(`${scope}S3_`) && value);
  if (named === undefined && endpoint === undefined && own.length === 0) {
    const { storage } = parseSettings(options.settings());
    if (storage.kind === 's3') return resolveConnection(storage);
    throw new UsageError(`no S3 endpoint is known for the ${role}`, {
      subject: role,
      advice: `set S3_ENDPOINT with its keys, or ${scope}S3_ENDPOINT, ${scope}S3_ACCESS_KEY_ID and ${scope}S3_SECRET_ACCESS_KEY (or their _FILE)`,
    });
  }
  try {
    const { storage } = parseSettings({
      environment: Object.fromEntries(own.map(([name, value]) => [name.slice(scope.length), value])),
      flags: new Map(endpoint === undefined ? [] : [['endpoint', endpoint]]),
    });
    if (storage.kind === 's3') return resolveConnection(storage);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(
      error.problems.map((problem) => ({
        ...problem,
        name: scoped(problem.name),
        origin: scoped(problem.origin),
        problem: scoped(problem.problem),
        example: problem.example === undefined ? undefined : scoped(problem.example),
      })),
    );
  }
  throw new UsageError(`no S3 endpoint is known for s3+${named}://`, {
    subject: named,
    advice: `set ${scope}S3_ENDPOINT, ${scope}S3_ACCESS_KEY_ID and ${scope}S3_SECRET_ACCESS_KEY (or their _FILE)`,
  });

  /** What the settings call S3_REGION is this place's SOURCE_S3_REGION. */
  function scoped(text: string): string {
    return text
      .replaceAll(/(?<![A-Z_])S3_(?=[A-Z])/g, `${scope}S3_`)
      .replaceAll(/flag --endpoint/g, `flag --${role}-endpoint`);
  }
}
