import { document, imageReference, indented, quoted, renderedBy, type StackModel } from '../../stack/index.ts';
import { configEntries } from './config-name.ts';
import { secretName } from './service.ts';

/** `deploy/swarm/observability.s3.yml`: deployed together with the one beside it, it moves Loki and Tempo to S3. */
export function renderSwarmS3(model: StackModel, textOf: (path: string) => string): string {
  const { store, loki, tempo } = model;
  return document(`
${renderedBy('swarm')}
# Deployed together with observability.yml: Loki and Tempo write to
# ${store.title} (${store.url}).
# Endpoint, region, buckets and prefixes come from the settings; keys are Swarm secrets and in no environment.
version: "3.8"

services:
  loki:
${program}

  tempo:
${program}

  # Makes the buckets, idempotently, and ends. It shows 0/1 then: Swarm starts it again only after a failure.
  provision:
    image: ${imageReference('bucketwright')}
    command: [provision, --wait, 5m]
    # The image's health check asks a server, and Swarm kills what is not healthy.
    healthcheck:
      disable: true
    environment:
      S3_ENDPOINT: ${quoted(store.url)}
      S3_INSECURE: "${store.insecure}"
      S3_REGION: ${quoted(store.region)}
      S3_FORCE_PATH_STYLE: "${store.pathStyle}"
      S3_BUCKET_LOKI: ${quoted(loki.bucket)}
      S3_PREFIX_LOKI: ${quoted(loki.prefix)}
      S3_BUCKET_TEMPO: ${quoted(tempo.bucket)}
      S3_PREFIX_TEMPO: ${quoted(tempo.prefix)}
      S3_ACCESS_KEY_ID_FILE: /run/secrets/s3_access_key_id
      S3_SECRET_ACCESS_KEY_FILE: /run/secrets/s3_secret_access_key
    secrets:
      - source: s3_access_key_id
        uid: "1000"
        mode: 0400
      - source: s3_secret_access_key
        uid: "1000"
        mode: 0400
    networks: [observability]
    deploy:
      # Not replicated-job: Docker's command line knows that only since version 23.
      replicas: 1
      resources:
        limits:
          memory: 256M
          cpus: "0.5"
      restart_policy:
        # The default, any, would run a job that succeeded again and again.
        condition: on-failure
        delay: 10s
        max_attempts: 5

configs:
  # The same names as in observability.yml: these take their place.
${configEntries(configs, textOf)}

secrets:
  # An AWS credentials file with both keys, which Loki and Tempo read: \`bucketwright render credentials\` writes it.
  s3_credentials:
    external: true
    name: ${secretName('S3_CREDENTIALS_SECRET', 's3_credentials')}
  s3_access_key_id:
    external: true
    name: ${secretName('S3_ACCESS_KEY_ID_SECRET', 's3_access_key_id')}
  s3_secret_access_key:
    external: true
    name: ${secretName('S3_SECRET_ACCESS_KEY_SECRET', 's3_secret_access_key')}
`);
}

const configs = [
  { key: 'loki', path: 'observability/loki/config.s3.yml' },
  { key: 'tempo', path: 'observability/tempo/config.s3.yml' },
];

/** Both images run as 10001: nobody else in the container may read the keys. */
const program = indented(
  `environment:
  AWS_SHARED_CREDENTIALS_FILE: /run/secrets/s3_credentials
secrets:
  - source: s3_credentials
    uid: "10001"
    gid: "10001"
    mode: 0400`,
  4,
);
