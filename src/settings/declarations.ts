import { z } from 'zod';
import { parseDuration } from '../core/durations.ts';
import { Secret } from '../core/secret.ts';
import { parseListenAddress } from './address.ts';
import { parseBucketList, parseBucketName, parseLokiPrefix, parsePrefix } from './buckets.ts';
import { parseEndpoint } from './endpoint.ts';
import { ok, type Parsed, problem } from './parsed.ts';

/** What is known about a setting besides its type. */
export interface SettingFacts {
  /** The environment variable; `<env>_FILE` names a file that holds the value. */
  readonly env: string;
  /** Where bucketwright.yaml has it. */
  readonly yaml: readonly [section: string, key: string];
  /** The command line option; secrets have none, since process lists show it. */
  readonly flag: string | undefined;
  /** As text, parsed like any other value. */
  readonly default: string | undefined;
  /** Says what holds when there is no default text. */
  readonly unset?: string;
  readonly help: string;
  readonly example: string;
  readonly secret: boolean;
  /** Whether it is part of the connection to an S3 API: one of these set means that S3 is wanted. */
  readonly connection: boolean;
  /** The type editors are told for bucketwright.yaml. */
  readonly json: { readonly type: 'string' | 'boolean'; readonly enum?: readonly string[]; readonly pattern?: string };
}

/** Facts by schema: zod's own way to keep what a schema means beside the schema. */
export const settingFacts = z.registry<SettingFacts>();

/** A zod type over one of the text parsers; its message is the parser's problem. */
function text<T>(parse: (text: string) => Parsed<T>) {
  return z
    .string()
    .transform((value, context) => {
      const parsed = parse(value);
      if (parsed.ok) return parsed.value;
      context.issues.push({ code: 'custom', message: parsed.problem, input: undefined });
      return z.NEVER;
    })
    .optional();
}

const oneOf = <const T extends readonly string[]>(values: T) =>
  text((value): Parsed<T[number]> => {
    const found = values.find((candidate) => candidate === value);
    return found === undefined ? problem(`must be one of ${values.join(', ')}`) : ok(found);
  });

const yesNo = () =>
  text((value): Parsed<boolean> => {
    if (/^(?:true|1|yes|on)$/i.test(value)) return ok(true);
    return /^(?:false|0|no|off)$/i.test(value) ? ok(false) : problem('must be true or false');
  });

const word = (pattern: RegExp, expected: string) =>
  text((value): Parsed<string> => (pattern.test(value) ? ok(value) : problem(expected)));

const secret = (pattern: RegExp, expected: string) =>
  text((value): Parsed<Secret> => (pattern.test(value) ? ok(new Secret(value)) : problem(expected)));

/** @param least the shortest that makes sense, as people write it */
const duration = (least: '1s' | '1h' | '24h') =>
  text((value): Parsed<number> => {
    const parsed = parseDuration(value);
    if (parsed === undefined) return problem('must be a duration, such as 31d or 744h');
    return parsed >= (parseDuration(least) ?? 0) ? ok(parsed) : problem(`must be at least ${least}`);
  });

const retention = () => duration('24h');

function parseProcesses(value: string): Parsed<number | 'auto'> {
  if (value === 'auto') return ok(value);
  return /^(?:[1-9]|[1-5]\d|6[0-4])$/.test(value)
    ? ok(Number(value))
    : problem('must be a number from 1 to 64, or auto');
}

function parseCount(value: string): Parsed<number> {
  return /^[1-9]\d{0,5}$/.test(value) ? ok(Number(value)) : problem('must be a number from 1 to 999,999');
}

const facts = {
  flag: undefined,
  default: undefined,
  secret: false,
  connection: false,
  json: { type: 'string' },
} as const;
const connection = { ...facts, connection: true } as const;
const outageModes = ['fail-closed', 'buffer'] as const;
const durabilities = ['strict', 'relaxed'] as const;
const ownerships = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const;

const bucket = (use: string, what: string) =>
  text(parseBucketName).register(settingFacts, {
    ...facts,
    env: `S3_BUCKET_${use.toUpperCase()}`,
    yaml: [use, 'bucket'],
    flag: `--bucket-${use}`,
    default: `cloudlysis-${use}`,
    help: `The bucket for ${what}.`,
    example: `acme-${use}`,
  });

const prefix = (use: string, what: string, parse: (text: string) => Parsed<string>) =>
  text(parse).register(settingFacts, {
    ...facts,
    env: `S3_PREFIX_${use.toUpperCase()}`,
    yaml: [use, 'prefix'],
    flag: `--prefix-${use}`,
    unset: `empty; ${use}/ when the bucket is shared with another use`,
    help: `The prefix for ${what} within the bucket. Slashes at the ends do not matter.`,
    example: `${use}/`,
  });

/**
 * Every setting, once: its type and its facts. Parsing, `config show`, the reference page, the JSON Schema and the
 * command line options are all made from this.
 */
export const settingsSchema = z.object({
  endpoint: text(parseEndpoint).register(settingFacts, {
    ...connection,
    env: 'S3_ENDPOINT',
    yaml: ['s3', 'endpoint'],
    flag: '--endpoint',
    unset: 'none: objects stay on the local filesystem',
    help: 'Where the S3 API is. https:// is assumed; http:// needs S3_INSECURE=true; a path is an error.',
    example: 'https://fsn1.your-objectstorage.com',
  }),
  region: word(/^[A-Za-z0-9-]{1,64}$/, 'must hold only letters, digits and dashes').register(settingFacts, {
    ...connection,
    env: 'S3_REGION',
    yaml: ['s3', 'region'],
    flag: '--region',
    unset: "from the provider's profile, else us-east-1",
    help: 'The region that requests are signed for. On Hetzner the location, such as fsn1.',
    example: 'fsn1',
  }),
  accessKeyId: secret(/^[\x21-\x7e]{3,128}$/, 'must be 3 to 128 visible ASCII characters without spaces').register(
    settingFacts,
    {
      ...connection,
      env: 'S3_ACCESS_KEY_ID',
      yaml: ['s3', 'accessKeyId'],
      secret: true,
      unset: 'embedded server: generated once into s3.env of the data directory',
      help: 'The access key id.',
      example: 'S3_ACCESS_KEY_ID_FILE=/run/secrets/s3_access_key_id',
    },
  ),
  secretAccessKey: secret(/^[\x21-\x7e]{8,256}$/, 'must be 8 to 256 visible ASCII characters without spaces').register(
    settingFacts,
    {
      ...connection,
      env: 'S3_SECRET_ACCESS_KEY',
      yaml: ['s3', 'secretAccessKey'],
      secret: true,
      unset: 'embedded server: generated once into s3.env of the data directory',
      help: 'The secret access key.',
      example: 'S3_SECRET_ACCESS_KEY_FILE=/run/secrets/s3_secret_access_key',
    },
  ),
  forcePathStyle: yesNo().register(settingFacts, {
    ...connection,
    env: 'S3_FORCE_PATH_STYLE',
    yaml: ['s3', 'forcePathStyle'],
    flag: '--force-path-style',
    unset: "from the provider's profile",
    help: 'Whether the bucket is the first step of the path (https://host/bucket/key) instead of part of the host name.',
    example: 'true',
    json: { type: 'boolean' },
  }),
  insecure: yesNo().register(settingFacts, {
    ...connection,
    env: 'S3_INSECURE',
    yaml: ['s3', 'insecure'],
    flag: '--insecure',
    default: 'false',
    help: 'Allows http:// towards loopback, private-network addresses and single-label host names; refused towards any other host.',
    example: 'true',
    json: { type: 'boolean' },
  }),
  provider: word(/^[a-z0-9-]{1,32}$/, 'must be the name of a provider profile').register(settingFacts, {
    ...connection,
    env: 'S3_PROVIDER',
    yaml: ['s3', 'provider'],
    flag: '--provider',
    unset: 'detected from the endpoint',
    help: 'The provider profile, where the endpoint does not tell it.',
    example: 'hetzner',
  }),
  outageMode: oneOf(outageModes).register(settingFacts, {
    ...facts,
    env: 'S3_OUTAGE_MODE',
    yaml: ['s3', 'outageMode'],
    flag: '--outage-mode',
    default: 'fail-closed',
    help: 'What happens to writes while the S3 API cannot be reached: refused (fail-closed), or kept locally and sent later (buffer).',
    example: 'buffer',
    json: { type: 'string', enum: outageModes },
  }),
  lokiBucket: bucket('loki', "Loki's chunks and index"),
  lokiPrefix: prefix('loki', "Loki's objects", parseLokiPrefix),
  tempoBucket: bucket('tempo', "Tempo's blocks"),
  tempoPrefix: prefix('tempo', "Tempo's objects", parsePrefix),
  backupBucket: bucket('backup', 'backups'),
  backupPrefix: prefix('backup', 'backups', parsePrefix),
  backupPassphrase: secret(/^[^\x00-\x1f]{12,1024}$/, 'must be 12 to 1,024 characters on one line').register(
    settingFacts,
    {
      ...facts,
      env: 'BUCKETWRIGHT_BACKUP_PASSPHRASE',
      yaml: ['backup', 'passphrase'],
      secret: true,
      unset: 'none: bucketwright backup asks for it to be set',
      help: 'What opens the backup repository. Without it no backup can be restored: keep it where the backups are not.',
      example: 'BUCKETWRIGHT_BACKUP_PASSPHRASE_FILE=/run/secrets/backup_passphrase',
    },
  ),
  backupKey: secret(
    /^[A-Za-z0-9+/]{43,1400}={0,2}$/,
    'must be 32 random bytes or more in base64, on one line',
  ).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_BACKUP_KEY',
    yaml: ['backup', 'key'],
    secret: true,
    unset: 'none: the passphrase opens the repository',
    help: 'A random key that opens the backup repository instead of a passphrase, as `openssl rand -base64 32` makes one.',
    example: 'BUCKETWRIGHT_BACKUP_KEY_FILE=/run/secrets/backup_key',
  }),
  backupLock: duration('24h').register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_BACKUP_LOCK',
    yaml: ['backup', 'lock'],
    flag: '--backup-lock',
    unset: 'nothing is locked',
    help: 'How long each object of the backup repository is locked against removal (S3 Object Lock, compliance mode). The bucket must have been created with object lock.',
    example: '30d',
  }),
  artifactsBucket: bucket('artifacts', 'build artifacts'),
  artifactsPrefix: prefix('artifacts', 'artifacts', parsePrefix),
  logRetention: retention().register(settingFacts, {
    ...facts,
    env: 'RETENTION_LOGS',
    yaml: ['retention', 'logs'],
    flag: '--retention-logs',
    default: '31d',
    help: 'How long Loki keeps logs. Units: ms, s, m, h, d, w.',
    example: '31d',
  }),
  traceRetention: retention().register(settingFacts, {
    ...facts,
    env: 'RETENTION_TRACES',
    yaml: ['retention', 'traces'],
    flag: '--retention-traces',
    default: '14d',
    help: 'How long Tempo keeps traces. Units: ms, s, m, h, d, w.',
    example: '14d',
  }),
  data: text((value) => (value.includes('\0') ? problem('must be a path') : ok(value))).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_DATA',
    yaml: ['server', 'data'],
    flag: '--data',
    default: './data',
    help: 'The data directory of the embedded server.',
    example: '/var/lib/bucketwright',
  }),
  listen: text(parseListenAddress).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_LISTEN',
    yaml: ['server', 'listen'],
    flag: '--listen',
    default: '127.0.0.1:9000',
    help: 'Where the embedded server answers S3 requests, host:port.',
    example: '0.0.0.0:9000',
  }),
  adminListen: text(parseListenAddress).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_ADMIN_LISTEN',
    yaml: ['server', 'adminListen'],
    flag: '--admin-listen',
    default: '127.0.0.1:9002',
    help: 'Where the embedded server answers /healthz, /readyz and /metrics, host:port.',
    example: '127.0.0.1:9102',
  }),
  startBuckets: text(parseBucketList).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_BUCKETS',
    yaml: ['server', 'buckets'],
    flag: '--buckets',
    unset: 'none',
    help: 'Buckets that the embedded server makes when it starts, where they are missing: names separated by commas.',
    example: 'photos,backups',
  }),
  durability: oneOf(durabilities).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_DURABILITY',
    yaml: ['server', 'durability'],
    flag: '--durability',
    default: 'strict',
    help: 'strict: an answer of 200 means that bytes and index entry are on the disk. relaxed: when the machine fails, the last seconds may be lost and the index be damaged.',
    example: 'strict',
    json: { type: 'string', enum: durabilities },
  }),
  abandonedUploadAge: duration('1h').register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_ABANDONED_UPLOADS',
    yaml: ['server', 'abandonedUploads'],
    flag: '--abandoned-uploads',
    default: '7d',
    help: 'How long after its beginning the embedded server aborts a multipart upload that was never completed. Units: ms, s, m, h, d, w.',
    example: '7d',
  }),
  lifecycleDay: duration('1s').register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_LIFECYCLE_DAY',
    yaml: ['server', 'lifecycleDay'],
    default: '1d',
    help: 'For tests only: how long a day of a lifecycle rule is for the embedded server. Anything but 1d removes objects early, and is warned of. Units: ms, s, m, h, d, w.',
    example: '10s',
  }),
  processes: text(parseProcesses).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_PROCESSES',
    yaml: ['server', 'processes'],
    flag: '--processes',
    default: '1',
    help: 'How many processes of the embedded server answer requests: a number, or auto for one a core, at most 4. With more than one, a further process looks after them.',
    example: 'auto',
  }),
  maxRequests: text(parseCount).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_MAX_REQUESTS',
    yaml: ['server', 'maxRequests'],
    flag: '--max-requests',
    default: '2048',
    help: 'How many requests the embedded server has under way at once, of all its processes; further ones are refused with SlowDown. What they hold in memory grows with it.',
    example: '4096',
  }),
  maxRequestsPerClient: text(parseCount).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_MAX_REQUESTS_PER_CLIENT',
    yaml: ['server', 'maxRequestsPerClient'],
    flag: '--max-requests-per-client',
    default: '1024',
    help: 'The same for one client, which is an IPv4 address or an IPv6 network of 64 bits: so that one cannot take the place of all others. Behind a proxy all requests are its own.',
    example: '64',
  }),
  objectOwnership: oneOf(ownerships).register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_OBJECT_OWNERSHIP',
    yaml: ['server', 'objectOwnership'],
    flag: '--object-ownership',
    default: 'BucketOwnerEnforced',
    help: 'Who owns objects in buckets that the embedded server makes from now on, and whether ACLs count there: BucketOwnerEnforced (no ACLs), BucketOwnerPreferred or ObjectWriter.',
    example: 'ObjectWriter',
    json: { type: 'string', enum: ownerships },
  }),
  serverKey: secret(/^[\x21-\x7e]{32,256}$/, 'must be 32 to 256 visible ASCII characters without spaces').register(
    settingFacts,
    {
      ...facts,
      env: 'BUCKETWRIGHT_SERVER_KEY',
      yaml: ['server', 'serverKey'],
      secret: true,
      unset: 'generated once into users.key of the data directory',
      help: 'What the embedded server encrypts the secrets of its users with.',
      example: 'BUCKETWRIGHT_SERVER_KEY_FILE=/run/secrets/bucketwright_server_key',
    },
  ),
  tlsCertificate: word(/^.+$/, 'must be a file').register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_TLS_CERT',
    yaml: ['server', 'tlsCertificate'],
    flag: '--tls-cert',
    unset: 'plain HTTP',
    help: 'A PEM file with the certificate of the embedded server and its chain, for HTTPS on the S3 address. Read again when it changes.',
    example: '/etc/bucketwright/fullchain.pem',
  }),
  tlsKey: word(/^.+$/, 'must be a file').register(settingFacts, {
    ...facts,
    env: 'BUCKETWRIGHT_TLS_KEY',
    yaml: ['server', 'tlsKey'],
    flag: '--tls-key',
    unset: 'plain HTTP',
    help: 'A PEM file with the key of BUCKETWRIGHT_TLS_CERT.',
    example: '/etc/bucketwright/privkey.pem',
  }),
  domain: word(/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'must be a host name in lower case').register(
    settingFacts,
    {
      ...facts,
      env: 'BUCKETWRIGHT_DOMAIN',
      yaml: ['server', 'domain'],
      flag: '--domain',
      unset: 'only path style and <bucket>.localhost',
      help: 'The host name below which buckets are sub-domains, for virtual-host style requests.',
      example: 's3.example.internal',
    },
  ),
});

/** The typed values, by setting; undefined where nothing was set and there is no default. */
export type SettingValues = z.output<typeof settingsSchema>;

export interface Declaration extends SettingFacts {
  readonly key: string;
}

export const declarations: readonly Declaration[] = Object.entries(settingsSchema.shape).map(([key, schema]) => {
  const found = settingFacts.get(schema);
  if (found === undefined) throw new TypeError(`the setting ${key} has no facts`);
  return { key, ...found };
});
