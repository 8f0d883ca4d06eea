import { HOUR, parseDuration } from '../../core/durations.ts';
import { firstTextAt, listAt, textAt } from '../check/configuration.ts';
import { readConfiguration } from '../check/read.ts';
import { withDefaults } from '../check/variables.ts';
import { parseKeyTable } from '../keys/accepted.ts';
import { lokiKeys } from '../keys/loki-3.7.ts';
import type { LokiStore } from '../loki/render.ts';
import { MigrationError } from './errors.ts';

/** What a migration must know of Loki's file. */
export interface LokiFile {
  readonly periods: readonly FilePeriod[];
  /** The newest period. */
  readonly last: FilePeriod;
  readonly thanos: boolean;
  /** Without slashes at the ends. */
  readonly prefix: string;
  /** The directory of chunks on the disk. */
  readonly directory: string;
  /** The bucket that an S3 block names; undefined: there is none. */
  readonly bucket: string | undefined;
  /** Milliseconds; undefined: logs stay for ever. */
  readonly retention: number | undefined;
  /** `s3`, `filesystem`, a named store, or undefined. */
  readonly deleteRequests: string | undefined;
}

export interface FilePeriod {
  readonly from: string;
  /** Milliseconds since 1970. */
  readonly day: number;
  /** Undefined: a named store, or another kind. */
  readonly store: LokiStore | undefined;
}

const table = parseKeyTable(lokiKeys);

/**
 * Reads the file, and refuses whatever Loki itself would refuse or a migration could not keep whole.
 * @throws MigrationError with one line that names the first thing that is wrong
 */
export function readLokiFile(subject: string, text: string): LokiFile {
  const refuse = (message: string, advice: string): never => {
    throw new MigrationError(`${subject}: ${message}`, { subject, advice: `${advice}; nothing was written` });
  };
  const { configuration, findings } = readConfiguration('loki', subject, withDefaults(text), table, {});
  const bad = findings.find(({ status }) => status !== 'ok');
  if (bad !== undefined) {
    const path = bad.subject.startsWith(`${subject}: `) ? `${bad.subject.slice(subject.length + 2)}: ` : '';
    return refuse(`${path}${bad.found}`, bad.advice ?? 'correct it first');
  }
  const periods = (listAt(configuration, 'schema_config.configs') ?? []).map(readPeriod);
  for (const [index, { from, day }] of periods.entries()) {
    if (Number.isNaN(day)) refuse(`a schema period begins at ${JSON.stringify(from)}`, 'write a UTC day, YYYY-MM-DD');
    if (index > 0 && day <= (periods[index - 1]?.day ?? 0)) {
      refuse(`the schema period from ${from} does not come after the one before it`, 'order them by day');
    }
  }
  const last = periods.at(-1);
  if (last === undefined) return refuse('it has no schema period', 'add schema_config, see `bucketwright render loki`');
  const thanos = textAt(configuration, 'storage_config.use_thanos_objstore') === 'true';
  const prefix = thanos
    ? (firstTextAt(configuration, 'storage_config.object_store.storage_prefix') ?? '')
    : (textAt(configuration, 'storage_config.object_prefix') ?? '');
  if (thanos && !/^[0-9A-Za-z-]*$/.test(prefix)) {
    refuse(
      `the prefix ${JSON.stringify(prefix)} is none that Loki takes`,
      'letters, digits and dashes, without slashes',
    );
  }
  const enabled = textAt(configuration, 'compactor.retention_enabled') === 'true';
  const retention = parseDuration(textAt(configuration, 'limits_config.retention_period') ?? '');
  if (enabled && retention !== undefined && retention > 0 && retention < 24 * HOUR) {
    refuse('retention_period is shorter than an index period (24h)', 'set at least 24h');
  }
  const root = textAt(configuration, 'common.path_prefix') ?? '/loki';
  const directory = firstTextAt(
    configuration,
    'storage_config.object_store.filesystem.dir',
    'storage_config.filesystem.directory',
    'common.storage.filesystem.chunks_directory',
  );
  return {
    periods,
    last,
    thanos,
    prefix: prefix.replace(/^\/+|\/+$/g, ''),
    directory: directory ?? `${root}/chunks`,
    bucket: firstTextAt(
      configuration,
      'storage_config.object_store.s3.bucket_name',
      'storage_config.aws.bucketnames',
      'common.storage.s3.bucketnames',
    ),
    retention: enabled && retention !== undefined && retention > 0 ? retention : undefined,
    deleteRequests: textAt(configuration, 'compactor.delete_request_store'),
  };
}

function readPeriod(period: unknown): FilePeriod {
  const from = textAt(period, 'from') ?? '';
  const store = textAt(period, 'object_store');
  const day = /^\d{4}-\d\d-\d\d$/.test(from) ? Date.parse(`${from}T00:00:00Z`) : Number.NaN;
  return { from, day, store: store === 'aws' ? 's3' : store === 's3' || store === 'filesystem' ? store : undefined };
}
