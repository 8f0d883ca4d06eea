import {
  document,
  goDuration,
  indented,
  quoted,
  renderedBy,
  type StackModel,
  type StoreTarget,
} from '../../stack/index.ts';

/** Which store a span of days is written to. */
export interface SchemaPeriod {
  /** The first UTC day, `YYYY-MM-DD`. */
  readonly from: string;
  readonly store: LokiStore;
}

export type LokiStore = 'filesystem' | 's3';

/** Loki's configuration changes between major versions: 4 makes the Thanos client the default. */
export type LokiMajor = 3 | 4;

export interface LokiOptions {
  /** Oldest first; never empty. The last one is where new chunks go. */
  readonly periods: readonly [SchemaPeriod, ...SchemaPeriod[]];
  readonly major: LokiMajor;
}

/** A first period far enough in the past that every line belongs to one. */
export const firstDay = '2024-01-01';

/** What a container of 1 GiB can replay without being killed: three quarters of its memory. */
const replayCeiling = '750MB';

/**
 * Loki's configuration, single process. Run with Loki 3.7.6 on Ceph 16, 18 and 20.
 */
export function renderLoki(model: StackModel, options: LokiOptions): string {
  const stores = new Set(options.periods.map((period) => period.store));
  const current = options.periods.at(-1)?.store ?? options.periods[0].store;
  return document(`
${renderedBy('loki')}
# Loki ${options.major}, one process; chunks and index ${describe(stores, current, model)}.
# Keys are not in this file: Loki reads the file that AWS_SHARED_CREDENTIALS_FILE names.

# One tenant, whose name in the store is "fake".
auth_enabled: false

server:
  http_listen_port: 3100
  grpc_listen_port: 9096
  log_level: info

# Without this Loki writes a cluster seed beside the chunks and calls home.
analytics:
  reporting_enabled: false

common:
  # Index, write-ahead log and compactor state: keep it on a volume in every mode.
  path_prefix: /loki
  instance_addr: 127.0.0.1
  replication_factor: 1
  ring:
    kvstore:
      store: inmemory

${storage(model, stores, options.major)}

${schema(options.periods)}

${ingester(model)}

${compactor(model, stores, current)}
`);
}

function describe(stores: ReadonlySet<LokiStore>, current: LokiStore, { store, loki }: StackModel): string {
  const where = `bucket ${loki.bucket} at ${store.title}`;
  if (stores.size > 1) return `on the local disk and in ${where}; new ones go to ${current}`;
  return current === 's3' ? `in ${where}` : 'on the local disk';
}

function storage({ store, loki }: StackModel, stores: ReadonlySet<LokiStore>, major: LokiMajor): string {
  const client =
    major === 3
      ? `
  # The older client puts trailing checksums on every upload that nothing turns off; Ceph before 18 refuses them.
  # Loki 4 has this as its default.
  use_thanos_objstore: true`
      : '';
  return `storage_config:${client}
  object_store:
    # Letters, digits and dashes. It applies to every store, the disk too: the same one in the filesystem and the S3
    # variant keeps old logs in sight after a switch. It does not cover the ruler, which is not used here.
    storage_prefix: ${quoted(loki.prefixName)}${stores.has('filesystem') ? disk : ''}${stores.has('s3') ? s3(store, loki.bucket) : ''}`;
}

const disk = `
    filesystem:
      dir: /loki/chunks`;

function s3(store: StoreTarget, bucket: string): string {
  return indented(
    `
s3:
  # Host and port only: Loki exits when it finds a scheme here.
  endpoint: ${quoted(store.authority)}
  # Derived from the endpoint's scheme.
  insecure: ${store.insecure}
  # Always set: otherwise Loki asks the server for it first.
  region: ${quoted(store.region)}
  bucket_name: ${quoted(bucket)}
  bucket_lookup_type: ${store.pathStyle ? 'path' : 'virtual-hosted'}
  # Only AWS has dual-stack host names.
  dualstack_enabled: false
  # A flush that still fails stays queued, its chunks in memory and in the write-ahead log.
  max_retries: 10`,
    4,
  );
}

function schema(periods: readonly SchemaPeriod[]): string {
  const configs = periods.map(
    ({ from, store }) => `    - from: ${quoted(from)}
      store: tsdb
      object_store: ${store}
      schema: v13
      index:
        prefix: index_
        period: 24h`,
  );
  return `schema_config:
  # Periods begin at 00:00 UTC. Never edit or remove one that has begun: its logs would vanish from queries. To change
  # the store, \`bucketwright observability migrate\` appends a period with a day in the future.
  configs:
${configs.join('\n')}`;
}

function ingester({ outageMode }: StackModel): string {
  const threshold =
    outageMode === 'buffer'
      ? `    # buffer: while S3 is away, take lines until the volume is nearly full. Give the volume room for the outage.
    disk_full_threshold: 0.95`
      : `    # fail-closed: refuse lines (the collector sees errors) when the volume's whole filesystem is this full, while there
    # is still room for a replay. Below it, lines are taken although S3 is away: Loki has no other switch.
    disk_full_threshold: 0.9`;
  return `ingester:
  wal:
    enabled: true
    dir: /loki/wal
    # Three quarters of the container's memory: replaying more than fits kills the process again and again.
    replay_memory_ceiling: ${replayCeiling}
    # On a stop with S3 away a flush would fail; the write-ahead log keeps the lines instead.
    flush_on_shutdown: false
${threshold}`;
}

function compactor({ retention }: StackModel, stores: ReadonlySet<LokiStore>, current: LokiStore): string {
  const requests = stores.has('s3') ? 's3' : current;
  return `compactor:
  # Open delete requests and deletion marks live here too.
  working_directory: /loki/compactor
  # Off by default: without it logs stay for ever. It, not a lifecycle rule of the bucket, deletes logs.
  retention_enabled: true
  delete_request_store: ${requests}
  compaction_interval: 10m
  retention_delete_delay: 2h

limits_config:
  retention_period: ${goDuration(retention.logs)}`;
}

/** The files that a new installation starts with. */
export const renderLokiFilesystem = (model: StackModel): string =>
  renderLoki(model, { major: 3, periods: [{ from: firstDay, store: 'filesystem' }] });

export const renderLokiS3 = (model: StackModel): string =>
  renderLoki(model, { major: 3, periods: [{ from: firstDay, store: 's3' }] });
