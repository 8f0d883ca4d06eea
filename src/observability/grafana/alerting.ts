import { document, quoted, renderedBy, type StackModel } from '../../stack/index.ts';
import { type Alert, alerts } from '../alerts.ts';

/** Grafana's provisioning of alert rules: `provisioning/alerting/*.yml`. */
export function renderGrafanaAlerts(model: StackModel): string {
  return document(`
${renderedBy('grafana')}
# Evaluated by Grafana itself: no Alertmanager is needed. Contact points are yours to add, in Grafana.
apiVersion: 1
groups:
  - orgId: 1
    name: object-storage
    folder: Storage
    interval: 1m
    rules:
${alerts(model).map(rule).join('\n')}
`);
}

function rule(alert: Alert): string {
  return `      - uid: ${alert.id}
        title: ${text(alert.title)}
        condition: A
        for: ${alert.lasting}
        # A metric that is absent is not trouble by itself: some exist only after the first failure.
        noDataState: OK
        execErrState: Error
        labels:
          severity: ${alert.severity}
        annotations:
          summary: ${text(alert.summary)}
          description: ${text(alert.advice)}
        data:
          - refId: A
            relativeTimeRange:
              from: 600
              to: 0
            datasourceUid: prometheus
            model:
              refId: A
              instant: true
              expr: ${text(firing(alert.expression))}`;
}

/**
 * Grafana fires where the condition's value is not 0, and a comparison in PromQL keeps the value of its left side,
 * which may be 0 (`up == 0`). Taking part in the result is what counts, so every sample becomes 1.
 */
function firing(expression: string): string {
  return `(${expression}) * 0 + 1`;
}

/** Grafana replaces `$NAME` in provisioning files by environment variables; `$$` is a dollar sign. */
const text = (value: string): string => quoted(value.replaceAll('$', '$$$$'));
