/**
 * The metrics that alerts and dashboards are built on, by the program that has them. Names were read in the sources of
 * Loki 3.7 and Tempo 3.0; Loki's own documentation has some that do not exist (`…_chunks_flush_errors_total`).
 */
export const metrics = {
  loki: [
    'loki_ingester_chunks_flush_failures_total',
    'loki_ingester_chunks_flush_requests_total',
    'loki_ingester_flush_queue_length',
    'loki_ingester_memory_chunks',
    'loki_ingester_chunks_flushed_total',
    'loki_ingester_wal_disk_usage_percent',
    'loki_ingester_wal_disk_full_failures_total',
    'loki_objstore_bucket_operations_total',
    'loki_objstore_bucket_operation_failures_total',
    'loki_objstore_bucket_operation_duration_seconds_bucket',
    'loki_objstore_bucket_transport_requests_total',
    'loki_compactor_apply_retention_last_successful_run_timestamp_seconds',
  ],
  tempo: [
    'tempodb_backend_request_duration_seconds_count',
    'tempodb_backend_request_duration_seconds_bucket',
    'tempo_live_store_local_failed_flushes_total',
    'tempo_live_store_local_flush_failed_retries_total',
    'tempodb_blocklist_poll_errors_total',
    'tempodb_blocklist_tenant_index_age_seconds',
    'tempodb_compaction_errors_total',
    'tempodb_retention_errors_total',
  ],
  prometheus: ['up'],
  backup: [
    'bucketwright_backup_last_success_timestamp_seconds',
    'bucketwright_backup_objective_seconds',
    'bucketwright_backup_last_drill_success',
    'bucketwright_backup_last_drill_timestamp_seconds',
    'bucketwright_backup_drill_every_seconds',
    'bucketwright_backup_failures_total',
  ],
} as const;

/** The metric names in a PromQL expression: identifiers that are neither functions nor keywords nor labels. */
export function metricNames(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '""').replace(/\{[^}]*\}|\b(?:by|without|on)\s*\([^)]*\)/g, '');
  const words = bare.match(/[a-z_][a-z0-9_]*(?!\s*\(|[a-z0-9_])/g) ?? [];
  return words.filter((word) => word.includes('_') || word === 'up');
}
