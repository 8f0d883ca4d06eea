import { document, quoted, renderedBy, type StackModel } from '../../stack/index.ts';
import { alerts } from '../alerts.ts';

/** What Prometheus scrapes. Names resolve in the compose project and in the Swarm stack alike. */
const jobs = [
  { name: 'loki', target: 'loki:3100' },
  { name: 'tempo', target: 'tempo:3200' },
  { name: 'collector', target: 'collector:12345' },
  { name: 'grafana', target: 'grafana:3000' },
  { name: 'prometheus', target: 'localhost:9090' },
] as const;

/** `prometheus.yml`. */
export function renderPrometheus(_model: StackModel): string {
  return document(`
${renderedBy('grafana')}
global:
  scrape_interval: 15s

scrape_configs:
${jobs.map(({ name, target }) => `  - job_name: ${name}\n    static_configs:\n      - targets: [${quoted(target)}]`).join('\n')}
  # The embedded store of docker-compose.yml, where it is part of the project: a name that does not resolve only logs.
  - job_name: bucketwright
    dns_sd_configs:
      - names: [bucketwright]
        type: A
        port: 9002
  # The backup daemon (deploy/backup/), where it runs in the same network.
  - job_name: backup
    dns_sd_configs:
      - names: [backup]
        type: A
        port: 9102
`);
}

/**
 * The alerts as a Prometheus rule file, for those who run Prometheus with an Alertmanager. The stack itself evaluates
 * them in Grafana, which needs none.
 */
export function renderPrometheusRules(model: StackModel): string {
  const rules = alerts(model).map(
    ({ id, expression, lasting, severity, title, summary, advice }) => `      - alert: ${id}
        expr: ${quoted(expression)}
        for: ${lasting}
        labels:
          severity: ${severity}
        annotations:
          title: ${quoted(title)}
          summary: ${quoted(summary)}
          advice: ${quoted(advice)}`,
  );
  return document(`
${renderedBy('grafana')}
# Not loaded by the stack's own Prometheus: Grafana evaluates the same alerts. For an Alertmanager of your own.
groups:
  - name: object-storage
    rules:
${rules.join('\n')}
`);
}
