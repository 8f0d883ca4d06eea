import { HOUR } from '../../core/durations.ts';
import { firstTextAt, isVariable, listAt, mapAt, textAt } from '../check/configuration.ts';
import { parsePrometheusDuration } from '../check/durations.ts';
import { lokiMistakes } from '../check/loki.ts';
import { parseKeyTable } from '../keys/accepted.ts';
import { lokiKeys } from '../keys/loki-3.7.ts';
import type { LokiStore } from '../loki/render.ts';
import { readOrRefuse, refusal } from './refusal.ts';

/** What a migration must know of Loki's file. */
export interface LokiFile {
  readonly periods: readonly FilePeriod[];
  /** The newest period. */
  readonly last: FilePeriod;
  readonly thanos: boolean;
  /** Where the Thanos client's settings are: `common.storage.object_store`, where there is one, takes their place whole. */
  readonly base: readonly string[];
  /** Kinds of store that have a block there. */
  readonly blocks: ReadonlySet<LokiStore>;
  /** The S3 block of the older client, which counts as long as the Thanos client is off. */
  readonly older: Readonly<Record<string, unknown>> | undefined;
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
  /** As the file has it: `s3`, `aws`, `filesystem`, or the name of a named store. */
  readonly name: string;
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
    throw refusal(subject, message, advice);
  };
  const configuration = readOrRefuse('loki', subject, text, table, lokiMistakes);
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
  const inCommon = thanos && mapAt(configuration, 'common.storage.object_store') !== undefined;
  const base = inCommon ? ['common', 'storage', 'object_store'] : ['storage_config', 'object_store'];
  const at = base.join('.');
  const older = mapAt(configuration, 'storage_config.aws') ?? mapAt(configuration, 'common.storage.s3');
  const prefix = thanos
    ? (textAt(configuration, `${at}.storage_prefix`) ?? '')
    : (textAt(configuration, 'storage_config.object_prefix') ?? '');
  if (thanos && !/^[0-9A-Za-z-]*$/.test(prefix)) {
    refuse(
      `the prefix ${JSON.stringify(prefix)} is none that Loki takes`,
      'letters, digits and dashes, without slashes',
    );
  }
  if (!thanos && !/^[0-9A-Za-z-]*$/.test(prefix.replace(/^\/+|\/+$/g, ''))) {
    refuse(
      `its object_prefix ${JSON.stringify(prefix)} is none that the Thanos client takes`,
      'letters, digits and dashes alone: stay with the older client, or start anew with another prefix',
    );
  }
  if (
    !thanos &&
    mapAt(configuration, 'ruler.storage') !== undefined &&
    mapAt(configuration, 'ruler_storage') === undefined
  ) {
    refuse(
      'its rules are in ruler.storage, which Loki ignores with the Thanos client',
      'name their store in ruler_storage too',
    );
  }
  const enabled = textAt(configuration, 'compactor.retention_enabled') === 'true';
  const kept = textAt(configuration, 'limits_config.retention_period') ?? '0';
  const retention = parsePrometheusDuration(kept);
  if (retention === undefined && !isVariable(kept)) {
    refuse(`retention_period: ${kept} is no duration`, 'write it like 31d or 744h');
  }
  if (enabled && retention !== undefined && retention > 0 && retention < 24 * HOUR) {
    refuse('retention_period is shorter than an index period (24h)', 'set at least 24h');
  }
  const root = textAt(configuration, 'common.path_prefix') ?? '/loki';
  const directory = firstTextAt(
    configuration,
    ...(thanos ? [`${at}.filesystem.dir`] : []),
    'storage_config.filesystem.directory',
    'common.storage.filesystem.chunks_directory',
  );
  return {
    periods,
    last,
    thanos,
    base,
    blocks: new Set(
      thanos
        ? (['s3', 'filesystem'] as const).filter((kind) => mapAt(configuration, `${at}.${kind}`) !== undefined)
        : [],
    ),
    older: thanos ? undefined : older,
    prefix: prefix.replace(/^\/+|\/+$/g, ''),
    directory: directory ?? `${root}/chunks`,
    bucket: thanos ? textAt(configuration, `${at}.s3.bucket_name`) : textAt(older, 'bucketnames'),
    retention: enabled && retention !== undefined && retention > 0 ? retention : undefined,
    deleteRequests: textAt(configuration, 'compactor.delete_request_store'),
  };
}

function readPeriod(period: unknown): FilePeriod {
  const from = textAt(period, 'from') ?? '';
  const store = textAt(period, 'object_store');
  const day = /^\d{4}-\d\d-\d\d$/.test(from) ? Date.parse(`${from}T00:00:00Z`) : Number.NaN;
  return {
    from,
    day,
    name: store ?? '',
    store: store === 'aws' ? 's3' : store === 's3' || store === 'filesystem' ? store : undefined,
  };
}
