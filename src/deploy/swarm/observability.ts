import { document, imageReference, indented, renderedBy, type StackModel } from '../../stack/index.ts';
import { configEntries } from './config-name.ts';
import { secretName, stateful } from './service.ts';

/** `deploy/swarm/observability.yml`: Loki, Tempo, Grafana, the collector and Prometheus on volumes of one node. */
export function renderSwarm(_model: StackModel, textOf: (path: string) => string): string {
  return document(`
${renderedBy('swarm')}
# Logs, traces and metrics on volumes of the node that is labelled storage=true. README.md has the roll-out.
# Nothing but Grafana is published: applications join the network and send OTLP to collector:4318.
version: "3.8"

services:
  loki:
    image: ${imageReference('loki')}
    command: [-config.file=/etc/loki/config.yml]
    configs:
      - source: loki
        target: /etc/loki/config.yml
    volumes:
      # The write-ahead log is here: with S3 too, losing this volume loses up to two hours of logs.
      - loki-data:/loki
    networks: [observability]
    healthcheck:
      # The image has no shell. Ready 15 seconds after the start at the earliest.
      test: [CMD, /usr/bin/loki, -health]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 60s
    stop_grace_period: 30s
${indented(stateful('1G', '1.0'), 4)}

  tempo:
    image: ${imageReference('tempo')}
    command: [-config.file=/etc/tempo/config.yml]
    configs:
      - source: tempo
        target: /etc/tempo/config.yml
    volumes:
      # The live store is here: traces that are in no block yet.
      - tempo-data:/var/tempo
    networks: [observability]
    healthcheck:
      test: [CMD, /tempo, -health]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 60s
    # Tempo often does not end by itself when a query ran just before. Six seconds after the signal its data is safe.
    stop_grace_period: 15s
${indented(stateful('1G', '1.0'), 4)}

  collector:
    image: ${imageReference('collector')}
    command: [run, /etc/alloy/config.alloy, --storage.path=/var/lib/alloy/data, "--server.http.listen-addr=0.0.0.0:12345"]
    configs:
      - source: collector
        target: /etc/alloy/config.alloy
    volumes:
      - collector-data:/var/lib/alloy/data
      # Every node's own containers. Whoever controls this container controls the node's engine.
      - /var/run/docker.sock:/var/run/docker.sock:ro
    networks: [observability]
${indented(collectorHealth, 4)}
    deploy:
      mode: global
      resources:
        limits:
          memory: 512M
          cpus: "0.5"
      restart_policy:
        condition: any
        delay: 5s
      update_config:
        failure_action: rollback
        monitor: 90s
      rollback_config:
        monitor: 90s

  prometheus:
    image: ${imageReference('prometheus')}
    command:
      - --config.file=/etc/prometheus/prometheus.yml
      - --storage.tsdb.path=/prometheus
      - --storage.tsdb.retention.time=15d
    configs:
      - source: prometheus
        target: /etc/prometheus/prometheus.yml
    volumes:
      - prometheus-data:/prometheus
    networks: [observability]
    healthcheck:
      test: [CMD, /bin/promtool, check, ready]
      interval: 10s
      timeout: 5s
      retries: 6
      # Replaying its own write-ahead log may take minutes.
      start_period: 5m
${indented(stateful('1G', '1.0'), 4)}

  grafana:
    image: ${imageReference('grafana')}
    environment:
      GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/grafana_admin_password
      GF_ANALYTICS_REPORTING_ENABLED: "false"
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
    secrets:
      - source: grafana_admin_password
        uid: "472"
        mode: 0400
    configs:
      - source: grafana-datasources
        target: /etc/grafana/provisioning/datasources/stack.yml
      - source: grafana-dashboards
        target: /etc/grafana/provisioning/dashboards/stack.yml
      - source: grafana-alerting
        target: /etc/grafana/provisioning/alerting/storage.yml
      - source: grafana-storage
        target: /var/lib/grafana/dashboards/storage.json
    volumes:
      - grafana-data:/var/lib/grafana
    networks: [observability]
    healthcheck:
      # Which of the two an image has depends on its flavour.
      test: [CMD-SHELL, "curl -fsS http://127.0.0.1:3000/api/health || wget -qO- http://127.0.0.1:3000/api/health"]
      interval: 10s
      timeout: 5s
      retries: 6
      # The first start makes its database.
      start_period: 2m
    ports:
      # On every address of the node: put a TLS proxy in front, or a firewall around it.
      - target: 3000
        published: 3000
        mode: host
${indented(stateful('512M', '0.5'), 4)}

configs:
${configEntries(configs, textOf)}

secrets:
  grafana_admin_password:
    external: true
    name: ${secretName('GRAFANA_PASSWORD_SECRET', 'grafana_admin_password')}

networks:
  observability:
    driver: overlay
    attachable: true

volumes:
  loki-data:
  tempo-data:
  collector-data:
  prometheus-data:
  grafana-data:
`);
}

/** What Swarm waits for in an update, and restarts without. */
const collectorHealth = `
healthcheck:
  # The image has bash, and neither curl nor wget.
  test:
    - CMD
    - /bin/bash
    - -c
    - exec 3<>/dev/tcp/127.0.0.1/12345 && printf 'GET /-/ready HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '
  interval: 10s
  timeout: 5s
  retries: 6
  start_period: 30s`.trim();

const configs = [
  { key: 'loki', path: 'observability/loki/config.yml' },
  { key: 'tempo', path: 'observability/tempo/config.yml' },
  { key: 'collector', path: 'observability/collector/config.alloy' },
  { key: 'prometheus', path: 'observability/prometheus/prometheus.yml' },
  { key: 'grafana-datasources', path: 'observability/grafana/provisioning/datasources/stack.yml' },
  { key: 'grafana-dashboards', path: 'observability/grafana/provisioning/dashboards/stack.yml' },
  { key: 'grafana-alerting', path: 'observability/grafana/provisioning/alerting/storage.yml' },
  { key: 'grafana-storage', path: 'observability/grafana/dashboards/storage.json' },
];
