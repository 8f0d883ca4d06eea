import { document, imageReference, indented, renderedBy, type StackModel } from '../../stack/index.ts';
import { observabilityDirectory as here, unprivileged } from './service.ts';

/** `observability/docker-compose.yml`: Loki, Tempo, Grafana, the collector and Prometheus on local volumes. */
export function renderObservability(_model: StackModel): string {
  return document(`
${renderedBy('compose')}
# Logs, traces and metrics on local volumes. Add observability/docker-compose.s3.yml to keep logs and traces in S3.
# Alone:           docker compose -f observability/docker-compose.yml up -d
# With the rest:   docker compose -f docker-compose.yml -f observability/docker-compose.yml up -d
# Compose resolves paths against the first file's directory; OBSERVABILITY_DIR makes both work (observability/.env).

services:
  loki:
    image: ${imageReference('loki')}
    command: [-config.file=/etc/loki/config.yml]
    ports:
      - 127.0.0.1:3100:3100
    volumes:
      - ${here}/loki/config.yml:/etc/loki/config.yml:ro
      # Write-ahead log, index under construction and compactor state: needed in every mode.
      - loki-data:/loki
    healthcheck:
      # The image has no shell. Ready 15 seconds after the start at the earliest: that is Loki's own wait.
      test: [CMD, /usr/bin/loki, -health]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 30s
    mem_limit: 1g
    stop_grace_period: 30s
${common}

  tempo:
    image: ${imageReference('tempo')}
    command: [-config.file=/etc/tempo/config.yml]
    ports:
      - 127.0.0.1:3200:3200
    volumes:
      - ${here}/tempo/config.yml:/etc/tempo/config.yml:ro
      # The live store holds traces that are in no block yet: needed in every mode.
      - tempo-data:/var/tempo
    healthcheck:
      test: [CMD, /tempo, -health]
      interval: 10s
      timeout: 5s
      retries: 6
      start_period: 15s
    mem_limit: 1g
    # Tempo often does not end by itself when a query ran just before. Six seconds after the signal its data is safe.
    stop_grace_period: 15s
${common}

  collector:
    image: ${imageReference('collector')}
    command: [run, /etc/alloy/config.alloy, --storage.path=/var/lib/alloy/data, "--server.http.listen-addr=0.0.0.0:12345"]
    ports:
      # OTLP of the applications on this machine.
      - 127.0.0.1:4317:4317
      - 127.0.0.1:4318:4318
    volumes:
      - ${here}/collector/config.alloy:/etc/alloy/config.alloy:ro
      # Read positions: without them a restart sends every container's log again.
      - collector-data:/var/lib/alloy/data
      # To find containers and read their logs. Whoever controls this container controls the engine: publish nothing
      # of it beyond loopback.
      - /var/run/docker.sock:/var/run/docker.sock:ro
    restart: unless-stopped

  prometheus:
    image: ${imageReference('prometheus')}
    command:
      - --config.file=/etc/prometheus/prometheus.yml
      - --storage.tsdb.path=/prometheus
      - --storage.tsdb.retention.time=15d
    ports:
      - 127.0.0.1:9090:9090
    volumes:
      - ${here}/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - prometheus-data:/prometheus
${common}

  grafana:
    image: ${imageReference('grafana')}
    environment:
      # On loopback, for the people of this machine. Set GRAFANA_ADMIN_PASSWORD before anybody else can reach it.
      GF_SECURITY_ADMIN_PASSWORD: \${GRAFANA_ADMIN_PASSWORD:-admin}
      GF_ANALYTICS_REPORTING_ENABLED: "false"
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
    ports:
      - 127.0.0.1:3000:3000
    volumes:
      - ${here}/grafana/provisioning:/etc/grafana/provisioning:ro
      - ${here}/grafana/dashboards:/var/lib/grafana/dashboards:ro
      - grafana-data:/var/lib/grafana
${common}

volumes:
  loki-data:
  tempo-data:
  collector-data:
  prometheus-data:
  grafana-data:
`);
}

const common = indented(`${unprivileged}\nrestart: unless-stopped`, 4);
