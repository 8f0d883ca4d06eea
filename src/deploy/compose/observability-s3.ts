import { document, indented, renderedBy, type StackModel } from '../../stack/index.ts';
import { bucketJob, observabilityDirectory as here, keySecrets } from './service.ts';

/** `observability/docker-compose.s3.yml`: added to the one beside it, it moves Loki and Tempo to S3. */
export function renderObservabilityS3(model: StackModel): string {
  const { store } = model;
  return document(`
${renderedBy('compose')}
# Added after observability/docker-compose.yml: Loki and Tempo write to
# ${store.title} (${store.url}).
# Endpoint, region, buckets and prefixes are in loki/config.s3.yml and tempo/config.s3.yml, from the same settings.
# An installation that already has logs and traces on its volumes moves with \`bucketwright observability migrate\`:
# these files start new ones.

services:
  loki:
    volumes:
      # The same target as in the first file: it takes that one's place.
      - ${here}/loki/config.s3.yml:/etc/loki/config.yml:ro
${program}

  tempo:
    volumes:
      - ${here}/tempo/config.s3.yml:/etc/tempo/config.yml:ro
${program}

${indented(bucketJob(model, store), 2)}

configs:
  # The one file from which both programs read their keys; it is in no environment and in no configuration file.
  # Compose stops here when a key is not set, instead of passing an empty one on.
  s3-credentials:
    content: |
      [default]
      aws_access_key_id = \${S3_ACCESS_KEY_ID:?set S3_ACCESS_KEY_ID in .env}
      aws_secret_access_key = \${S3_SECRET_ACCESS_KEY:?set S3_SECRET_ACCESS_KEY in .env}

${keySecrets}
`);
}

const program = indented(
  `environment:
  AWS_SHARED_CREDENTIALS_FILE: /run/s3-credentials
configs:
  # Without uid and mode: older engines then look the image's user up on the host, and fail. Only this container has it.
  - source: s3-credentials
    target: /run/s3-credentials
depends_on:
  minio-init:
    condition: service_completed_successfully`,
  4,
);
