import { document, goDuration, indented, quoted, renderedBy, type StackModel } from '../../stack/index.ts';

export type TempoBackend = 'local' | 's3';

/** Tempo's configuration, one process, no Kafka. Run with Tempo 3.0.3 on Ceph 16, 18 and 20. */
export function renderTempo(model: StackModel, backend: TempoBackend): string {
  const retention = goDuration(model.retention.traces);
  const where = backend === 's3' ? `in bucket ${model.tempo.bucket} at ${model.store.title}` : 'on the local disk';
  return document(`
${renderedBy('tempo')}
# Tempo 3, one process; blocks ${where}.
# Keys are not in this file: Tempo reads the file that AWS_SHARED_CREDENTIALS_FILE names.

server:
  http_listen_port: 3200
  grpc_listen_port: 9095
  log_level: info

# Without this Tempo writes a cluster seed beside the blocks and calls home.
usage_report:
  reporting_enabled: false

distributor:
  receivers:
    otlp:
      protocols:
        # Receivers listen on localhost alone unless told otherwise.
        grpc:
          endpoint: 0.0.0.0:4317
        http:
          endpoint: 0.0.0.0:4318

query_frontend:
  # TraceQL does not show what is newer than this; a look-up by trace id does.
  query_end_cutoff: 30s
  search:
    # What is newer than this is asked of the live store alone. At least twice blocklist_poll.
    query_backend_after: 15m

# Every path below defaults to its own place under /var/tempo; all must be on a volume.
live_store:
  wal:
    # Traces that are in no block yet: the one directory whose loss loses traces.
    path: /var/tempo/live-store/traces
  shutdown_marker_dir: /var/tempo/live-store/shutdown-marker
${outage(model, backend)}

backend_scheduler:
  local_work_path: /var/tempo/scheduler
  provider:
    compaction:
      compaction:
        # The same as below, as Tempo's documentation has it.
        block_retention: ${retention}

backend_worker:
  # Tempo may need a kill to end (its live store is safe by then): the compose files give it a grace period.
  finish_on_shutdown_timeout: 5s
  compaction:
    # This is what deletes traces. Tempo 2's top-level compactor block is an error in Tempo 3.
    block_retention: ${retention}

storage:
  trace:
    # How soon new blocks are found by queries.
    blocklist_poll: 1m
    backend: ${backend}
    wal:
      path: /var/tempo/wal
${indented(backend === 's3' ? s3(model) : 'local:\n  path: /var/tempo/blocks', 4)}
`);
}

function outage({ outageMode }: StackModel, backend: TempoBackend): string {
  if (backend === 'local') return '';
  return outageMode === 'buffer'
    ? `  # buffer: while S3 is away, finished blocks stay on the volume and are retried without limit. Give it room for the
  # outage; each try may take this long.
  flush_op_timeout: 5m`
    : `  # fail-closed: Tempo has no switch that refuses traces while S3 is away. Finished blocks stay on the volume and are
  # retried without limit; the alerts say so. A try is given up early, so that failures are counted early.
  flush_op_timeout: 1m`;
}

function s3({ store, tempo }: StackModel): string {
  return `s3:
  # Host and port only: Tempo exits when it finds a scheme here.
  endpoint: ${quoted(store.authority)}
  # Derived from the endpoint's scheme.
  insecure: ${store.insecure}
  # Always set: otherwise Tempo asks the server for it first.
  region: ${quoted(store.region)}
  bucket: ${quoted(tempo.bucket)}
  # Slashes within are allowed. In a bucket that others use too, a prefix is a must: Tempo takes every top-level
  # folder for a tenant.
  prefix: ${quoted(tempo.prefixName)}
  forcepathstyle: ${store.pathStyle}
  # No tags: Hetzner and others answer object tagging with 501.`;
}

export const renderTempoFilesystem = (model: StackModel): string => renderTempo(model, 'local');
export const renderTempoS3 = (model: StackModel): string => renderTempo(model, 's3');
