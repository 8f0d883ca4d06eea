import { document, renderedBy, type StackModel } from '../../stack/index.ts';

/** Grafana's provisioning of data sources: `provisioning/datasources/*.yml`. */
export function renderDatasources(_model: StackModel): string {
  return document(`
${renderedBy('grafana')}
apiVersion: 1
datasources:
  - name: Loki
    uid: loki
    type: loki
    access: proxy
    url: http://loki:3100
    isDefault: true
    jsonData:
      # A line that came by OTLP carries its trace as structured metadata: a link beside it opens the trace.
      derivedFields:
        - name: trace
          matcherType: label
          matcherRegex: trace_id
          datasourceUid: tempo
          # $$ is Grafana's escape for a dollar sign in provisioning files.
          url: "$\${__value.raw}"
  - name: Tempo
    uid: tempo
    type: tempo
    access: proxy
    url: http://tempo:3200
    jsonData:
      tracesToLogsV2:
        datasourceUid: loki
        filterByTraceID: true
      nodeGraph:
        enabled: true
  - name: Prometheus
    uid: prometheus
    type: prometheus
    access: proxy
    url: http://prometheus:9090
`);
}

/** Grafana's provisioning of dashboards: where it finds them. */
export function renderDashboardProvider(_model: StackModel): string {
  return document(`
${renderedBy('grafana')}
apiVersion: 1
providers:
  - name: bucketwright
    folder: Storage
    type: file
    # Changes in the browser are refused: they would be lost at the next start.
    allowUiUpdates: false
    options:
      path: /var/lib/grafana/dashboards
`);
}
