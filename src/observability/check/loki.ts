import { DAY, formatDuration, HOUR } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { parseKeyTable } from '../keys/accepted.ts';
import { lokiKeys } from '../keys/loki-3.7.ts';
import { Checklist } from './checklist.ts';
import { firstTextAt, isVariable, listAt, mapAt, textAt, valueAt } from './configuration.ts';
import { checkConnection, type WantedConnection } from './connection.ts';
import { parsePrometheusDuration } from './durations.ts';
import { type Mistakes, readConfiguration } from './read.ts';
import { variableFindings, withDefaults } from './variables.ts';
import { yamlValue } from './yaml.ts';

export interface LokiCheck {
  /** The file's path, for people. */
  readonly subject: string;
  readonly text: string;
  readonly wanted: WantedConnection | undefined;
  /** Loki's prefix in the settings, without slashes; undefined: not compared with that of a disk store. */
  readonly prefix?: string | undefined;
  /** Milliseconds. */
  readonly retention: number;
  /** Milliseconds since 1970: what "today" is. */
  readonly now: number;
}

const table = parseKeyTable(lokiKeys);

export const lokiMistakes: Mistakes = {
  'aws.bucket_names': 'the key is bucketnames: the migration page of Loki has it wrong',
  's3.bucket_names': 'the key is bucketnames',
  'aws.s3_force_path_style': 'the key is s3forcepathstyle',
  's3.s3_force_path_style': 'the key is s3forcepathstyle',
  'object_store.s3.s3forcepathstyle': 'with the Thanos client the key is bucket_lookup_type: path',
  'aws.prefix': 'the prefix is object_store.storage_prefix (Thanos client) or storage_config.object_prefix',
  's3.prefix': 'the prefix is object_store.storage_prefix (Thanos client) or storage_config.object_prefix',
  'boltdb_shipper.shared_store': 'removed in Loki 3: the period’s object_store decides',
  'tsdb_shipper.shared_store': 'removed in Loki 3: the period’s object_store decides',
  'compactor.shared_store': 'removed in Loki 3: use delete_request_store',
  'ingester.max_transfer_retries': 'removed: the write-ahead log does its work',
  'chunk_store_config.max_look_back_period': 'removed: use limits_config.max_query_lookback',
  'limits_config.enforce_metric_name': 'removed in Loki 3',
};

/** Looks for what goes wrong with Loki on S3 in a configuration of any origin. Never throws. */
export function checkLoki(input: LokiCheck): Finding[] {
  const { subject } = input;
  const read = readConfiguration('loki', subject, withDefaults(input.text), table, lokiMistakes);
  if (read.configuration === undefined) return [...read.findings];
  const list = new Checklist('loki', subject);
  checkPeriods(list, read.configuration, input.now);
  checkStore(list, read.configuration, input.wanted);
  checkPrefixCharacters(list, read.configuration);
  checkDiskPrefix(list, read.configuration, input.prefix);
  checkRetention(list, read.configuration, input.retention);
  checkDirectories(list, read.configuration);
  return [...read.findings, ...variableFindings('loki', subject, input.text), ...list.findings];
}

interface Period {
  readonly from: string;
  readonly day: number;
  readonly store: string;
  readonly index: string;
  readonly schema: string;
}

function periodsOf(configuration: unknown): Period[] {
  return (listAt(configuration, 'schema_config.configs') ?? []).map((period) => {
    // YAML 1.1 readers make a date of an unquoted one; ours keeps the text.
    const from = textAt(period, 'from') ?? '';
    return {
      from,
      day: Date.parse(`${from}T00:00:00Z`),
      store: textAt(period, 'object_store') ?? '',
      index: textAt(period, 'store') ?? '',
      schema: textAt(period, 'schema') ?? '',
    };
  });
}

function checkPeriods(list: Checklist, configuration: unknown, now: number): void {
  const periods = periodsOf(configuration);
  const last = periods.at(-1);
  if (last === undefined) {
    list.check('periods', '', { found: 'no schema period', why: 'Loki does not start', advice: 'add schema_config' });
    return;
  }
  const odd = periods.find(({ day }) => Number.isNaN(day));
  const unordered = periods.find(({ day }, index) => day <= (periods[index - 1]?.day ?? Number.NEGATIVE_INFINITY));
  const recent = periods.slice(1).find(({ day }) => day <= now && now - day < 7 * DAY);
  const fine = periods.map(({ from, store }) => `${store} from ${from}`).join(', ');
  if (odd !== undefined) {
    const found = `a period begins at ${odd.from === '' ? 'nothing' : JSON.stringify(odd.from)}`;
    list.check('periods', fine, { found, why: 'Loki does not start', advice: 'write a UTC day as YYYY-MM-DD' });
  } else if (unordered !== undefined) {
    const found = `the period from ${unordered.from} does not come after the one before it`;
    list.check('periods', fine, { found, why: 'lines are looked up in the wrong store', advice: 'order them by day' });
  } else {
    list.check(
      'periods',
      fine,
      recent === undefined
        ? undefined
        : {
            status: 'warn',
            found: `the period from ${recent.from} (${recent.store}) began in the last seven days`,
            why: 'if it was added on that day or later, the lines that were written since to the store before are in no query',
            advice: 'a new period begins on a day in the future: `bucketwright observability migrate` appends one',
          },
    );
  }
  list.check(
    'schema',
    `${last.index}, ${last.schema}`,
    last.index === 'tsdb' && last.schema === 'v13'
      ? undefined
      : {
          status: 'warn',
          found: `the newest period has ${last.index || 'no index'} and schema ${last.schema || 'none'}`,
          expected: 'tsdb and v13',
          why: 'other indexes are deprecated or gone in the next version; structured metadata needs v13',
          advice:
            'append a period with store: tsdb and schema: v13 on a day in the future; never change a period that began',
        },
  );
}

function checkStore(list: Checklist, configuration: unknown, wanted: WantedConnection | undefined): void {
  const periods = periodsOf(configuration);
  const thanos = textAt(configuration, 'storage_config.use_thanos_objstore') === 'true';
  const block = thanos ? 'storage_config.object_store.s3' : 'storage_config.aws';
  const common = thanos ? 'common.storage.object_store.s3' : 'common.storage.s3';
  const at = mapAt(configuration, block) ?? mapAt(configuration, common);
  const current = periods.at(-1)?.store;
  const known = new Set(['s3', 'aws', 'filesystem', ...namedStores(configuration)]);
  const strange = periods.find(({ store }) => !known.has(store));
  const onS3 = periods.some(({ store }) => store === 's3' || store === 'aws');
  list.check(
    'stores',
    `new chunks and their index go to ${current}`,
    strange !== undefined
      ? {
          found: `object_store: ${strange.store || 'nothing'}`,
          why: 'no such store is configured',
          advice: 'use s3 or filesystem',
        }
      : onS3 && at === undefined
        ? {
            found: `a period wants S3, but ${block} is empty`,
            why: 'Loki does not start, or asks AWS',
            advice: `fill ${block}`,
          }
        : undefined,
  );
  const shared = ['tsdb_shipper', 'boltdb_shipper'].map((name) => `storage_config.${name}.shared_store`);
  const index = shared.map((path) => textAt(configuration, path)).find((store) => store !== undefined);
  if (index !== undefined && !isVariable(index) && kindOf(index) !== kindOf(current)) {
    list.check('index-store', '', {
      found: `the index goes to ${index} (shared_store), its chunks to ${current}`,
      why: 'chunks whose index is elsewhere are found by no query, and a lost disk loses the index of all that is in S3',
      advice: 'remove shared_store: the object_store of the period is the store of both',
    });
  }
  if (wanted !== undefined && current === 'filesystem') {
    const why = 'new logs stay on the disk although the settings name an S3 API';
    list.check('storage', '', {
      status: 'warn',
      found: 'the newest period is on the filesystem',
      why,
      advice: '`bucketwright observability migrate --to s3`',
    });
  }
  if (!onS3 || at === undefined) return;
  list.check(
    'client',
    'the Thanos client',
    thanos
      ? undefined
      : {
          status: 'warn',
          found: 'the older S3 client (storage_config.aws or common.storage.s3)',
          why: 'over https it sends trailing checksums that nothing turns off; Ceph before 18 answers 400 to every chunk, and the next major version drops it',
          advice: 'use_thanos_objstore: true and storage_config.object_store.s3',
        },
  );
  const told = { storage_config: { s3: at } };
  const prefix = thanos ? 'storage_config.object_store.storage_prefix' : 'storage_config.object_prefix';
  checkConnection(
    list,
    {
      endpoint: textAt(at, 'endpoint'),
      region: textAt(at, 'region'),
      insecure: textAt(at, 'insecure'),
      bucket: firstTextAt(told, 'storage_config.s3.bucket_name', 'storage_config.s3.bucketnames'),
      prefix: textAt(configuration, prefix)?.replace(/^\/|\/$/g, ''),
      keys: [textAt(at, 'access_key_id'), textAt(at, 'secret_access_key')],
      bareEndpoint: thanos,
    },
    wanted,
  );
}

/** `aws` and `s3` are two names of one store. */
const kindOf = (store: string | undefined) => (store === 'aws' ? 's3' : store);

/** The Thanos client refuses other characters in every store, the disk too. */
function checkPrefixCharacters(list: Checklist, configuration: unknown): void {
  if (textAt(configuration, 'storage_config.use_thanos_objstore') !== 'true') return;
  const told =
    firstTextAt(
      configuration,
      'storage_config.object_store.storage_prefix',
      'common.storage.object_store.storage_prefix',
    ) ?? '';
  const bad = !told.includes('$') && !/^[0-9A-Za-z-]*$/.test(told);
  list.check(
    'prefix-characters',
    'letters, digits and dashes',
    bad
      ? {
          found: `storage_prefix: ${told}`,
          why: 'Loki exits: only letters, digits and dashes are allowed',
          advice: `storage_prefix: ${told.replace(/^\/+|\/+$/g, '').replace(/[^0-9A-Za-z-]/g, '-')}`,
        }
      : undefined,
  );
}

/** Of a store on the disk alone: the prefix covers it too, so another one in the settings would hide it one day. */
function checkDiskPrefix(list: Checklist, configuration: unknown, wanted: string | undefined): void {
  if (wanted === undefined || periodsOf(configuration).some(({ store }) => store !== 'filesystem')) return;
  const told = textAt(configuration, 'storage_config.object_store.storage_prefix')?.replace(/^\/|\/$/g, '') ?? '';
  if (isVariable(told)) return;
  const show = (prefix: string) => (prefix === '' ? 'no prefix' : `prefix ${prefix}`);
  list.check(
    'disk-prefix',
    show(told),
    told === wanted
      ? undefined
      : {
          status: 'warn',
          found: show(told),
          expected: show(wanted),
          why: 'the prefix covers the disk too: with that of the settings, the logs that are there would be in no query',
          advice:
            '`bucketwright observability migrate --to s3` moves the store below it, once; or change S3_PREFIX_LOKI',
        },
  );
}

function namedStores(configuration: unknown): string[] {
  return ['storage_config.named_stores', 'storage_config.object_store.named_stores'].flatMap((path) =>
    Object.values(mapAt(configuration, path) ?? {}).flatMap((stores) =>
      typeof stores === 'object' && stores !== null ? Object.keys(stores) : [],
    ),
  );
}

function checkRetention(list: Checklist, configuration: unknown, wanted: number): void {
  const enabled = textAt(configuration, 'compactor.retention_enabled') === 'true';
  const text = textAt(configuration, 'limits_config.retention_period');
  const period = text === undefined ? 0 : (parsePrometheusDuration(text) ?? Number.NaN);
  if (!enabled) {
    list.check('retention', '', {
      status: 'warn',
      found: `compactor.retention_enabled is off${text === undefined ? '' : `, so retention_period: ${text} does nothing`}`,
      why: 'logs stay, and cost, for ever',
      advice: 'retention_enabled: true with delete_request_store; no lifecycle rule of the bucket replaces it',
    });
    return;
  }
  const store = textAt(configuration, 'compactor.delete_request_store');
  list.check(
    'delete-requests',
    `delete requests in ${store}`,
    store === undefined
      ? {
          found: 'no compactor.delete_request_store',
          why: 'Loki does not start with retention',
          advice: 'delete_request_store: s3 (or filesystem)',
        }
      : periodsOf(configuration).some((one) => one.store === store || (one.store === 'aws' && store === 's3'))
        ? undefined
        : {
            found: `delete requests in ${store}, which no period uses`,
            why: 'requests and logs are in different stores, and a fresh volume loses the requests',
            advice: 'use the store of the newest period',
          },
  );
  // A variable's value is not known here, and its finding says so.
  if (text !== undefined && isVariable(text)) return;
  list.check(
    'retention',
    `logs are kept for ${text}`,
    text === undefined || period === 0
      ? {
          status: 'warn',
          found: 'no limits_config.retention_period',
          why: 'logs stay for ever',
          advice: `retention_period: ${wanted / HOUR}h`,
        }
      : Number.isNaN(period)
        ? {
            found: `retention_period: ${text}`,
            why: 'Loki exits: this is no duration',
            advice: `retention_period: ${wanted / HOUR}h`,
          }
        : period < DAY
          ? {
              found: `retention_period: ${text}`,
              expected: 'at least 24h',
              why: 'an index table spans a day and is dropped as a whole',
              advice: 'retention_period: 24h',
            }
          : period !== wanted
            ? {
                status: 'warn',
                found: `retention_period: ${text}`,
                expected: formatDuration(wanted),
                why: 'the settings, and what is derived from them, say another',
                advice: `retention_period: ${wanted / HOUR}h, or RETENTION_LOGS=${formatDuration(period)}`,
              }
            : undefined,
  );
}

/** Where a configuration keeps what a restart needs. */
function stateOf(configuration: unknown): { readonly wal: string; readonly work: string } {
  const root = textAt(configuration, 'common.path_prefix');
  const below = (name: string) => (root === undefined ? name : `${root.replace(/\/$/, '')}/${name}`);
  return {
    wal: textAt(configuration, 'ingester.wal.dir') ?? below('wal'),
    work: textAt(configuration, 'compactor.working_directory') ?? below('compactor'),
  };
}

/** The directories that must be on a volume, as far as the text tells. Never throws. */
export function lokiDirectories(text: string): readonly string[] {
  const configuration = yamlValue(withDefaults(text));
  if (typeof configuration !== 'object') return [];
  const { wal, work } = stateOf(configuration);
  return [wal, work];
}

function checkDirectories(list: Checklist, configuration: unknown): void {
  const { wal, work } = stateOf(configuration);
  const off = textAt(configuration, 'ingester.wal.enabled') === 'false';
  list.check(
    'wal',
    `write-ahead log in ${wal}`,
    off
      ? {
          found: 'the write-ahead log is off',
          why: 'a restart loses everything since the last flush, up to two hours',
          advice: 'ingester.wal.enabled: true, on a volume',
        }
      : passing(wal, 'up to two hours of logs'),
  );
  list.check(
    'compactor-directory',
    `compactor state in ${work}`,
    passing(work, 'marks of chunks to delete and open delete requests'),
  );
  list.check(
    'reports',
    'usage reports are off',
    textAt(configuration, 'analytics.reporting_enabled') === 'false'
      ? undefined
      : {
          status: 'warn',
          found: 'usage reports are on',
          why: 'Loki writes loki_cluster_seed.json into the bucket and calls grafana.com',
          advice: 'analytics.reporting_enabled: false',
        },
  );
  if (valueAt(configuration, 'ruler.storage.s3') !== undefined) {
    list.check('ruler', '', {
      status: 'warn',
      found: 'rules are in S3',
      why: 'the prefix does not cover them: they are at the root of the bucket',
      advice: 'use ruler_storage with a storage_prefix, or a bucket of their own',
    });
  }
}

/** What to say of a directory that is not on a volume, as far as its path tells. */
export function passing(path: string, lost: string) {
  const relative = !path.startsWith('/') && !path.startsWith('$');
  if (!relative && !/^\/(?:tmp|run|dev\/shm)(?:\/|$)/.test(path)) return undefined;
  return {
    found: `${path} ${relative ? 'is relative to wherever the program starts' : 'does not outlive the container'}`,
    why: `a new container loses ${lost}`,
    advice: 'put it below a path that a named volume is mounted on',
  };
}
