import { formatDuration, HOUR } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { parseKeyTable } from '../keys/accepted.ts';
import { tempoKeys } from '../keys/tempo-3.0.ts';
import { Checklist } from './checklist.ts';
import { isVariable, mapAt, textAt, valueAt } from './configuration.ts';
import { checkConnection, type WantedConnection } from './connection.ts';
import { parseGoDuration } from './durations.ts';
import { passing } from './loki.ts';
import { type Mistakes, readConfiguration } from './read.ts';
import { variableFindings, withDefaults } from './variables.ts';
import { yamlValue } from './yaml.ts';

export interface TempoCheck {
  /** The file's path, for people. */
  readonly subject: string;
  readonly text: string;
  readonly wanted: WantedConnection | undefined;
  /** Milliseconds. */
  readonly retention: number;
}

const table = parseKeyTable(tempoKeys);

export const tempoMistakes: Mistakes = {
  compactor: 'gone in Tempo 3: retention is backend_worker.compaction.block_retention',
  ingester: 'gone in Tempo 3: the live store has its place (live_store)',
  ingester_client: 'gone in Tempo 3',
  ingest: 'the single process needs no Kafka: remove it',
  's3.s3_force_path_style': 'the key is forcepathstyle',
  's3.s3forcepathstyle': 'the key is forcepathstyle',
  's3.bucket_name': 'the key is bucket',
  's3.access_key_id': 'the key is access_key; better: no keys in the file',
  's3.secret_access_key': 'the key is secret_key; better: no keys in the file',
  's3.storage_prefix': 'the key is prefix',
  'block.v2_encoding': 'removed: blocks are Parquet',
};

/** Looks for what goes wrong with Tempo on S3 in a configuration of any origin. Never throws. */
export function checkTempo(input: TempoCheck): Finding[] {
  const { subject, wanted } = input;
  const read = readConfiguration('tempo', subject, withDefaults(input.text), table, tempoMistakes);
  if (read.configuration === undefined) return [...read.findings];
  const list = new Checklist('tempo', subject);
  checkBackend(list, read.configuration, wanted);
  checkRetention(list, read.configuration, input.retention);
  checkDirectories(list, read.configuration);
  checkQueries(list, read.configuration);
  return [...read.findings, ...variableFindings('tempo', subject, input.text), ...list.findings];
}

function checkBackend(list: Checklist, configuration: unknown, wanted: WantedConnection | undefined): void {
  const backend = textAt(configuration, 'storage.trace.backend');
  const s3 = mapAt(configuration, 'storage.trace.s3');
  list.check(
    'storage',
    `blocks go to ${backend}`,
    backend === 's3' && s3 === undefined
      ? {
          found: 'backend: s3, but storage.trace.s3 is empty',
          why: 'Tempo does not start',
          advice: 'fill storage.trace.s3',
        }
      : backend === undefined
        ? { found: 'no storage.trace.backend', why: 'Tempo does not start', advice: 'backend: s3 or backend: local' }
        : wanted !== undefined && backend !== 's3'
          ? {
              status: 'warn',
              found: `blocks go to ${backend}`,
              why: 'the settings name an S3 API; Tempo has one backend at a time, and blocks elsewhere are in no query',
              advice: '`bucketwright observability migrate --to s3` copies them, then switches',
            }
          : undefined,
  );
  if (backend !== 's3' || s3 === undefined) return;
  const told = textAt(s3, 'prefix') ?? '';
  list.check(
    'prefix-slash',
    'the prefix begins with no slash',
    told.startsWith('/')
      ? {
          found: `prefix: ${told}`,
          why: 'every key begins with a slash then: its blocks are not where the prefix says, and many tools hide them',
          advice: `prefix: ${told.replace(/^\/+/, '')}, before anything is written; what is there must be moved`,
        }
      : undefined,
  );
  checkConnection(
    list,
    {
      endpoint: textAt(s3, 'endpoint'),
      region: textAt(s3, 'region'),
      insecure: textAt(s3, 'insecure'),
      bucket: textAt(s3, 'bucket'),
      prefix: told.replace(/^\/+|\/+$/g, ''),
      keys: [textAt(s3, 'access_key'), textAt(s3, 'secret_key')],
      bareEndpoint: true,
    },
    wanted,
  );
  if (Object.keys(mapAt(s3, 'tags') ?? {}).length > 0) {
    list.check('tags', '', {
      status: 'warn',
      found: 'objects get tags',
      why: 'Hetzner and others answer object tagging with 501, and every flush fails',
      advice: 'remove tags',
    });
  }
}

function checkRetention(list: Checklist, configuration: unknown, wanted: number): void {
  const worker = textAt(configuration, 'backend_worker.compaction.block_retention');
  const scheduler = textAt(configuration, 'backend_scheduler.provider.compaction.compaction.block_retention');
  const milliseconds = (text: string | undefined) => (text === undefined ? undefined : parseGoDuration(text));
  const wrong = [worker, scheduler].find((text) => text !== undefined && milliseconds(text) === undefined);
  if (wrong !== undefined) {
    // A variable's value is not known here, and its finding says so.
    if (isVariable(wrong)) return;
    const why = 'Tempo exits: it takes hours, minutes and seconds, no days';
    list.check('retention', '', {
      found: `block_retention: ${wrong}`,
      why,
      advice: `block_retention: ${wanted / HOUR}h`,
    });
    return;
  }
  list.check(
    'retention',
    `traces are kept for ${worker}`,
    worker === undefined
      ? {
          status: 'warn',
          found: 'no backend_worker.compaction.block_retention',
          why: 'Tempo deletes blocks after its default, 336h',
          advice: `block_retention: ${wanted / HOUR}h`,
        }
      : milliseconds(worker) !== wanted
        ? {
            status: 'warn',
            found: `block_retention: ${worker}`,
            expected: formatDuration(wanted),
            why: 'the settings, and what is derived from them, say another',
            advice: `block_retention: ${wanted / HOUR}h, or change RETENTION_TRACES`,
          }
        : scheduler !== undefined && milliseconds(scheduler) !== milliseconds(worker)
          ? {
              status: 'warn',
              found: `${worker} in the worker, ${scheduler} in the scheduler`,
              why: 'blocks are compacted that are about to be deleted, or the reverse',
              advice: 'give both the same value',
            }
          : undefined,
  );
}

const directories = [
  {
    id: 'live-store',
    path: 'live_store.wal.path',
    byDefault: '/var/tempo/live-store/traces',
    lost: 'the traces that are in no block yet',
  },
  { id: 'wal', path: 'storage.trace.wal.path', byDefault: '/var/tempo/wal', lost: 'blocks under construction' },
  { id: 'scheduler', path: 'backend_scheduler.local_work_path', byDefault: '/var/tempo', lost: 'the jobs under way' },
] as const;

/** The directories that must be on a volume, as far as the text tells. Never throws. */
export function tempoDirectories(text: string): readonly string[] {
  const configuration = yamlValue(withDefaults(text));
  return directories.map(({ path, byDefault }) => textAt(configuration, path) ?? byDefault);
}

function checkDirectories(list: Checklist, configuration: unknown): void {
  for (const { id, path, byDefault, lost } of directories) {
    const directory = textAt(configuration, path) ?? byDefault;
    list.check(id, `${path}: ${directory}`, passing(directory, lost));
  }
  list.check(
    'reports',
    'usage reports are off',
    textAt(configuration, 'usage_report.reporting_enabled') === 'false'
      ? undefined
      : {
          status: 'warn',
          found: 'usage reports are on',
          why: 'Tempo writes tempo_cluster_seed.json into the bucket and calls grafana.com',
          advice: 'usage_report.reporting_enabled: false',
        },
  );
}

function checkQueries(list: Checklist, configuration: unknown): void {
  const poll = parseGoDuration(textAt(configuration, 'storage.trace.blocklist_poll') ?? '5m');
  const after = parseGoDuration(textAt(configuration, 'query_frontend.search.query_backend_after') ?? '15m');
  if (poll !== undefined && after !== undefined) {
    list.check(
      'search-window',
      'search covers what is between the live store and the store',
      after >= 2 * poll
        ? undefined
        : {
            status: 'warn',
            found: `query_backend_after is shorter than two blocklist_poll (${formatDuration(poll)})`,
            why: 'search misses blocks that were just flushed',
            advice: `query_backend_after: ${formatDuration(2 * poll)} at least`,
          },
    );
  }
  for (const protocol of ['grpc', 'http']) {
    const path = `distributor.receivers.otlp.protocols.${protocol}`;
    const protocols = mapAt(configuration, 'distributor.receivers.otlp.protocols');
    if (protocols === undefined || !Object.hasOwn(protocols, protocol)) continue;
    if (valueAt(configuration, `${path}.endpoint`) !== undefined) continue;
    list.check(`otlp-${protocol}`, '', {
      status: 'warn',
      found: `${path} has no endpoint`,
      why: 'the receiver listens on localhost alone: other containers are refused',
      advice: `endpoint: 0.0.0.0:${protocol === 'grpc' ? 4317 : 4318}`,
    });
  }
}
