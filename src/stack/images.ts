/**
 * The images of the stack, pinned. Loki's and Tempo's configuration was run with exactly these versions; the others
 * follow the documentation of theirs and were not pulled where this was developed. A variable overrides each.
 */
export const images = {
  loki: 'grafana/loki:3.7.6',
  tempo: 'grafana/tempo:3.0.3',
  grafana: 'grafana/grafana:13.0.1',
  collector: 'grafana/alloy:v1.18.1',
  prometheus: 'prom/prometheus:v3.14.0',
  // Docker Hub removed minio/minio in September 2026; quay.io still has the last tag.
  minio: 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z',
  bucketwright: 'bucketwright:0.1.0',
} as const;

export type ImageName = keyof typeof images;

/** For compose and stack files: `${LOKI_IMAGE:-grafana/loki:3.7.6}`. */
export function imageReference(name: ImageName): string {
  return `\${${name.toUpperCase()}_IMAGE:-${images[name]}}`;
}
