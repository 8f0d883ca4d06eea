import { document, type StackModel } from '../../stack/index.ts';

/**
 * The collector's configuration in Alloy's own syntax, after the reference of Alloy 1.18 (not run here): container logs
 * to Loki; OTLP traces to Tempo and OTLP logs to Loki.
 */
export function renderCollector({ outageMode }: StackModel): string {
  const buffer = outageMode === 'buffer';
  return document(`
// Rendered by \`bucketwright render grafana\`: change the settings and render again, do not edit.

discovery.docker "containers" {
  host = "unix:///var/run/docker.sock"
}

discovery.relabel "containers" {
  targets = discovery.docker.containers.targets

  // Few labels with few values: every combination is a stream, and every stream many small objects in the store.
  rule {
    source_labels = ["__meta_docker_container_name"]
    regex         = "/(.*)"
    target_label  = "container"
  }

  // Compose's name of the service, or Swarm's: whichever there is.
  rule {
    source_labels = ["__meta_docker_container_label_com_docker_compose_service"]
    regex         = "(.+)"
    target_label  = "service_name"
  }

  rule {
    source_labels = ["__meta_docker_container_label_com_docker_swarm_service_name"]
    regex         = "(.+)"
    target_label  = "service_name"
  }
}

loki.source.docker "containers" {
  host       = "unix:///var/run/docker.sock"
  targets    = discovery.relabel.containers.output
  labels     = {"source" = "docker"}
  forward_to = [loki.write.loki.receiver]
}

loki.write "loki" {
  endpoint {
    url = "http://loki:3100/loki/api/v1/push"
${
  buffer
    ? `
    // buffer: keep trying for days. Docker keeps the lines that wait, as far as its log rotation allows.
    max_backoff_period  = "5m"
    max_backoff_retries = 1000`
    : `
    // fail-closed: give a batch up after some five minutes, and log that.
    max_backoff_period  = "1m"
    max_backoff_retries = 10`
}
  }
}

otelcol.receiver.otlp "applications" {
  grpc {
    endpoint = "0.0.0.0:4317"
  }

  http {
    endpoint = "0.0.0.0:4318"
  }

  output {
    logs   = [otelcol.processor.batch.applications.input]
    traces = [otelcol.processor.batch.applications.input]
  }
}

otelcol.processor.batch "applications" {
  output {
    logs   = [otelcol.exporter.otlphttp.loki.input]
    traces = [otelcol.exporter.otlphttp.tempo.input]
  }
}

otelcol.exporter.otlphttp "loki" {
  client {
    endpoint = "http://loki:3100/otlp"
  }
${queue(buffer)}
}

otelcol.exporter.otlphttp "tempo" {
  client {
    endpoint = "http://tempo:4318"
  }
${queue(buffer)}
}
`);
}

function queue(buffer: boolean): string {
  return buffer
    ? `
  // buffer: retry without limit. The queue is in memory: a restart of the collector loses what it holds.
  retry_on_failure {
    max_elapsed_time = "0s"
  }

  sending_queue {
    queue_size = 5000
  }`
    : `
  // fail-closed: give a batch up after a minute, so that applications see refusals instead of silence.
  retry_on_failure {
    max_elapsed_time = "1m"
  }

  sending_queue {
    queue_size        = 100
    block_on_overflow = false
  }`;
}
