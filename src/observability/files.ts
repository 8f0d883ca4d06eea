import type { RenderedFile } from '../stack/index.ts';
import { renderCollector } from './collector/render.ts';
import { renderGrafanaAlerts } from './grafana/alerting.ts';
import { renderDashboard } from './grafana/dashboard.ts';
import { renderDashboardProvider, renderDatasources } from './grafana/datasources.ts';
import { renderLokiFilesystem, renderLokiS3 } from './loki/render.ts';
import { renderPrometheus, renderPrometheusRules } from './prometheus/render.ts';
import { renderTempoFilesystem, renderTempoS3 } from './tempo/render.ts';

/** The configuration files of the observability stack. The committed ones are what these render for the defaults. */
export const observabilityFiles: readonly RenderedFile[] = [
  { kind: 'loki', path: 'observability/loki/config.yml', render: renderLokiFilesystem },
  { kind: 'loki', path: 'observability/loki/config.s3.yml', render: renderLokiS3 },
  { kind: 'tempo', path: 'observability/tempo/config.yml', render: renderTempoFilesystem },
  { kind: 'tempo', path: 'observability/tempo/config.s3.yml', render: renderTempoS3 },
  { kind: 'grafana', path: 'observability/collector/config.alloy', render: renderCollector },
  { kind: 'grafana', path: 'observability/prometheus/prometheus.yml', render: renderPrometheus },
  { kind: 'grafana', path: 'observability/prometheus/rules.yml', render: renderPrometheusRules },
  { kind: 'grafana', path: 'observability/grafana/provisioning/datasources/stack.yml', render: renderDatasources },
  { kind: 'grafana', path: 'observability/grafana/provisioning/dashboards/stack.yml', render: renderDashboardProvider },
  { kind: 'grafana', path: 'observability/grafana/provisioning/alerting/storage.yml', render: renderGrafanaAlerts },
  { kind: 'grafana', path: 'observability/grafana/dashboards/storage.json', render: renderDashboard },
];
