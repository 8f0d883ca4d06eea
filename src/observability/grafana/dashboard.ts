import type { StackModel } from '../../stack/index.ts';

interface Panel {
  readonly title: string;
  /** Grafana's name of the unit. */
  readonly unit: 'ops' | 's' | 'short' | 'percentunit';
  readonly queries: readonly { readonly legend: string; readonly expression: string }[];
}

/** What to look at when logs or traces do not reach the store. Two panels a row: Loki on the left, Tempo on the right. */
const panels: readonly Panel[] = [
  {
    title: 'Loki: operations on the store',
    unit: 'ops',
    queries: [
      { legend: '{{operation}}', expression: 'sum by (operation) (rate(loki_objstore_bucket_operations_total[5m]))' },
    ],
  },
  {
    title: 'Tempo: requests to the store',
    unit: 'ops',
    queries: [
      {
        legend: '{{operation}} {{status_code}}',
        expression: 'sum by (operation, status_code) (rate(tempodb_backend_request_duration_seconds_count[5m]))',
      },
    ],
  },
  {
    title: 'Loki: failed operations and flushes',
    unit: 'ops',
    queries: [
      {
        legend: '{{operation}}',
        expression: 'sum by (operation) (rate(loki_objstore_bucket_operation_failures_total[5m]))',
      },
      { legend: 'flushes', expression: 'sum(rate(loki_ingester_chunks_flush_failures_total[5m]))' },
    ],
  },
  {
    title: 'Tempo: failed flushes and polls',
    unit: 'ops',
    queries: [
      { legend: 'flushes', expression: 'sum(rate(tempo_live_store_local_failed_flushes_total[5m]))' },
      { legend: 'retries', expression: 'sum(rate(tempo_live_store_local_flush_failed_retries_total[5m]))' },
      { legend: 'polls', expression: 'sum(rate(tempodb_blocklist_poll_errors_total[5m]))' },
    ],
  },
  {
    title: 'Loki: 99th percentile of an operation',
    unit: 's',
    queries: [
      {
        legend: '{{operation}}',
        expression:
          'histogram_quantile(0.99, sum by (operation, le) (rate(loki_objstore_bucket_operation_duration_seconds_bucket[5m])))',
      },
    ],
  },
  {
    title: 'Tempo: 99th percentile of a request',
    unit: 's',
    queries: [
      {
        legend: '{{operation}}',
        expression:
          'histogram_quantile(0.99, sum by (operation, le) (rate(tempodb_backend_request_duration_seconds_bucket[5m])))',
      },
    ],
  },
  {
    title: 'Loki: waiting to be flushed',
    unit: 'short',
    queries: [
      { legend: 'queue', expression: 'sum(loki_ingester_flush_queue_length)' },
      { legend: 'chunks in memory', expression: 'sum(loki_ingester_memory_chunks)' },
    ],
  },
  {
    title: 'Loki: filesystem of the write-ahead log',
    unit: 'percentunit',
    queries: [{ legend: 'used', expression: 'max(loki_ingester_wal_disk_usage_percent)' }],
  },
];

/** The dashboard `Object storage`, as Grafana's JSON. */
export function renderDashboard({ store }: StackModel): string {
  const datasource = { type: 'prometheus', uid: 'prometheus' };
  const dashboard = {
    uid: 'bucketwright-storage',
    title: 'Object storage of Loki and Tempo',
    description: `Rendered by \`bucketwright render grafana\`. S3 means ${store.title}.`,
    tags: ['bucketwright'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    panels: panels.map(({ title, unit, queries }, index) => ({
      id: index + 1,
      type: 'timeseries',
      title,
      datasource,
      gridPos: { h: 8, w: 12, x: (index % 2) * 12, y: Math.floor(index / 2) * 8 },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(({ legend, expression }, query) => ({
        refId: String.fromCharCode(65 + query),
        datasource,
        expr: expression,
        legendFormat: legend,
      })),
    })),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Every query of the dashboard, for tests. */
export const dashboardQueries = panels.flatMap(({ queries }) => queries.map(({ expression }) => expression));
