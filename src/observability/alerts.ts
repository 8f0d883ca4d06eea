import type { StackModel } from '../stack/index.ts';

/** One alert, in the terms that Prometheus and Grafana share. */
export interface Alert {
  /** Stable: Grafana knows a rule by it. */
  readonly id: string;
  readonly title: string;
  /** PromQL; fires where it yields a value. */
  readonly expression: string;
  /** How long it must hold: a Prometheus duration. */
  readonly lasting: string;
  readonly severity: 'warning' | 'critical';
  /** What it means. */
  readonly summary: string;
  /** What to do. */
  readonly advice: string;
}

/** What tells of trouble with the store before logs or traces are lost. */
export function alerts({ outageMode }: StackModel): readonly Alert[] {
  return [...loki(outageMode), ...tempo(), ...stack, ...backup];
}

function loki(outageMode: StackModel['outageMode']): Alert[] {
  const consequence =
    outageMode === 'buffer' ? 'the write-ahead log is the buffer, and it is running out' : 'it soon refuses lines';
  return [
    {
      id: 'loki-flush-failures',
      title: 'Loki cannot write chunks',
      expression:
        'sum(rate(loki_ingester_chunks_flush_failures_total[5m])) / sum(rate(loki_ingester_chunks_flush_requests_total[5m])) > 0.2',
      lasting: '5m',
      severity: 'critical',
      summary:
        'More than a fifth of the flushes fail. Lines wait in memory and in the write-ahead log; none is lost yet.',
      advice: 'Run `bucketwright verify`; keep Loki running, since a restart must replay what waits.',
    },
    {
      id: 'loki-store-errors',
      title: 'Loki gets errors from the object store',
      expression: 'sum by (operation) (rate(loki_objstore_bucket_operation_failures_total[5m])) > 0',
      lasting: '5m',
      severity: 'warning',
      summary: 'The object store fails operations of Loki.',
      advice: 'Run `bucketwright verify`; look at the provider’s status page.',
    },
    {
      id: 'loki-store-denied',
      title: 'The object store refuses Loki’s keys',
      expression: 'sum(rate(loki_objstore_bucket_transport_requests_total{status_code=~"401|403"}[5m])) > 0',
      lasting: '1m',
      severity: 'critical',
      summary: 'The store answers 401 or 403: a rotated key, or a policy without the right.',
      advice: 'Check the credentials file that AWS_SHARED_CREDENTIALS_FILE names, then run `bucketwright verify`.',
    },
    {
      id: 'loki-store-throttled',
      title: 'The object store throttles Loki',
      expression: 'sum(rate(loki_objstore_bucket_transport_requests_total{status_code=~"429|503"}[5m])) > 0.1',
      lasting: '10m',
      severity: 'warning',
      summary: 'The store answers 429 or 503. Hetzner allows 750 requests a second for a bucket and for an address.',
      advice: 'Fewer, longer streams (fewer label values) mean fewer chunks.',
    },
    {
      id: 'loki-wal-filling',
      title: 'Loki’s volume is filling',
      expression: 'max(loki_ingester_wal_disk_usage_percent) > 0.7',
      lasting: '5m',
      severity: 'warning',
      summary: `The filesystem of Loki’s write-ahead log is more than 70 % full; ${consequence}.`,
      advice: 'Bring the object store back or enlarge the volume.',
    },
    {
      id: 'loki-wal-nearly-full',
      title: 'Loki’s volume is nearly full',
      expression:
        'max(loki_ingester_wal_disk_usage_percent) > 0.85 or increase(loki_ingester_wal_disk_full_failures_total[10m]) > 0',
      lasting: '1m',
      severity: 'critical',
      summary: `The filesystem of Loki’s write-ahead log is more than 85 % full; ${consequence}.`,
      advice: 'Enlarge the volume now. Do not delete the write-ahead log: it holds what is not in the store yet.',
    },
    {
      id: 'loki-retention-stale',
      title: 'Loki’s retention does not run',
      expression: 'time() - max(loki_compactor_apply_retention_last_successful_run_timestamp_seconds) > 10800',
      lasting: '10m',
      severity: 'warning',
      summary: 'No successful run of the compactor’s retention for three hours: logs stay, and cost.',
      advice: 'Read Loki’s log for "compactor"; it needs GetObject, PutObject, DeleteObject and ListBucket.',
    },
  ];
}

function tempo(): Alert[] {
  return [
    {
      id: 'tempo-flush-failures',
      title: 'Tempo cannot write blocks',
      // Tempo's request histogram has no sample for a refused connection or a time-out; failed flushes do count them.
      expression: 'sum(increase(tempo_live_store_local_failed_flushes_total[10m])) > 0',
      lasting: '10m',
      severity: 'critical',
      summary: 'Finished blocks cannot be flushed. They stay on the volume, which grows, until the store is back.',
      advice: 'Run `bucketwright verify`; watch the volume’s free space.',
    },
    {
      id: 'tempo-store-denied',
      title: 'The object store refuses Tempo’s keys',
      expression: 'sum(rate(tempodb_backend_request_duration_seconds_count{status_code=~"401|403"}[5m])) > 0',
      lasting: '1m',
      severity: 'critical',
      summary: 'The store answers 401 or 403: a rotated key, or a policy without the right.',
      advice: 'Check the credentials file that AWS_SHARED_CREDENTIALS_FILE names, then run `bucketwright verify`.',
    },
    {
      id: 'tempo-poll-errors',
      title: 'Tempo cannot list its blocks',
      expression: 'sum(increase(tempodb_blocklist_poll_errors_total[10m])) > 0',
      lasting: '10m',
      severity: 'warning',
      summary: 'Polling the list of blocks fails: queries do not see new blocks.',
      advice:
        'Run `bucketwright verify`; see whether something else writes into the bucket without a prefix: Tempo takes every folder for a tenant.',
    },
    {
      id: 'tempo-compaction-errors',
      title: 'Tempo’s compaction or retention fails',
      expression:
        'sum(increase(tempodb_compaction_errors_total[1h]) + increase(tempodb_retention_errors_total[1h])) > 0',
      lasting: '1h',
      severity: 'warning',
      summary: 'Blocks are not compacted or not deleted: queries slow down and storage grows.',
      advice: 'Read Tempo’s log for "backend-worker".',
    },
  ];
}

const stack: readonly Alert[] = [
  {
    id: 'stack-down',
    title: 'A part of the stack is down',
    expression: 'up{job=~"loki|tempo|collector|bucketwright"} == 0',
    lasting: '5m',
    severity: 'critical',
    summary: '{{ $labels.job }} does not answer to Prometheus.',
    advice: 'See `docker compose ps`, or `docker service ps` on Swarm, and its log.',
  },
];

/** Of `bucketwright backup daemon`, or of `backup status --metrics`. The last figures of one that is gone count, too. */
const backup: readonly Alert[] = [
  {
    id: 'backup-late',
    title: 'No good backup within the objective',
    expression:
      'time() - max by (source) (last_over_time(bucketwright_backup_last_success_timestamp_seconds[7d])) > on (source) max by (source) (last_over_time(bucketwright_backup_objective_seconds[7d]))',
    lasting: '1m',
    severity: 'critical',
    summary: 'The newest good backup of {{ $labels.source }} is older than its objective allows.',
    advice: 'Run `bucketwright backup status`; read the log of the backup daemon, or see whether it runs at all.',
  },
  {
    id: 'backup-drill-failed',
    title: 'The last restore drill failed',
    expression: 'min by (source) (last_over_time(bucketwright_backup_last_drill_success[7d])) == 0',
    lasting: '1m',
    severity: 'critical',
    summary: 'The newest backup of {{ $labels.source }} could not be restored, or not within its objectives.',
    advice:
      'Run `bucketwright backup drill {{ $labels.source }}` and `backup verify --read-data`; then a --full backup.',
  },
  {
    id: 'backup-drill-late',
    title: 'No restore drill for too long',
    expression:
      'time() - max by (source) (bucketwright_backup_last_drill_timestamp_seconds) > on (source) 2 * max by (source) (bucketwright_backup_drill_every_seconds)',
    lasting: '10m',
    severity: 'warning',
    summary: 'The backups of {{ $labels.source }} were not restored for a drill for twice the time that was planned.',
    advice: 'Read the log of the backup daemon for "drill"; it needs scratch space for the whole environment.',
  },
  {
    id: 'backup-failing',
    title: 'Backups fail',
    expression: 'sum by (source, task) (increase(bucketwright_backup_failures_total[30m])) > 3',
    lasting: '10m',
    severity: 'warning',
    summary: 'The task {{ $labels.task }} of the backup of {{ $labels.source }} fails again and again.',
    advice: 'Read the log of the backup daemon: it says what, where and what to do.',
  },
];
