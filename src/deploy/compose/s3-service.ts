import { document, imageReference, indented, localStore, renderedBy, type StackModel } from '../../stack/index.ts';
import { bucketJob, keySecrets, ownImage, unprivileged } from './service.ts';

const usage = (
  file: string,
) => `# Keys come from .env: S3_ACCESS_KEY_ID (at least 3 characters) and S3_SECRET_ACCESS_KEY (at least 8).
#   docker compose -f docker-compose.yml -f ${file} up -d`;

/** `docker-compose.s3.yml`: MinIO, and the one-shot job that makes the buckets. */
export function renderMinio(model: StackModel): string {
  return document(`
${renderedBy('compose')}
# An S3 service beside the platform: MinIO. docker-compose.s3-embedded.yml has the same with Bucketwright's own store.
${usage('docker-compose.s3.yml')}

services:
  minio:
    # Docker Hub removed this image; quay.io still has its last tag, without a promise. MINIO_IMAGE overrides it.
    image: ${imageReference('minio')}
    command: [server, /data, --console-address, ":9001"]
    environment:
      MINIO_ROOT_USER_FILE: /run/secrets/s3_access_key_id
      MINIO_ROOT_PASSWORD_FILE: /run/secrets/s3_secret_access_key
    secrets: [s3_access_key_id, s3_secret_access_key]
    healthcheck:
      test: [CMD, mc, ready, local]
      interval: 5s
      timeout: 5s
      retries: 12
      start_period: 5s
${indented(storeService, 4)}

${init(model)}

${footer}
`);
}

/** `docker-compose.s3-embedded.yml`: the same names, ports and settings, served by Bucketwright. */
export function renderEmbedded(model: StackModel): string {
  return document(`
${renderedBy('compose')}
# An S3 service beside the platform: Bucketwright's embedded store under MinIO's name, on MinIO's ports. Use it instead
# of docker-compose.s3.yml: same settings, same keys, nothing to pull.
${usage('docker-compose.s3-embedded.yml')}

services:
  minio:
${indented(ownImage, 4)}
    # MinIO's own command line: 9000 speaks S3, 9001 is the console's port.
    command: [server, /data, --console-address, ":9001"]
    environment:
      BUCKETWRIGHT_ADMIN_LISTEN: 0.0.0.0:9002
      S3_REGION: ${localStore.region}
      S3_ACCESS_KEY_ID_FILE: /run/secrets/s3_access_key_id
      S3_SECRET_ACCESS_KEY_FILE: /run/secrets/s3_secret_access_key
    secrets: [s3_access_key_id, s3_secret_access_key]
    # The image's own health check.
${indented(storeService, 4)}

${init(model)}

${footer}
`);
}

const storeService = `ports:
  - 127.0.0.1:\${S3_PORT:-9000}:9000
  - 127.0.0.1:\${S3_CONSOLE_PORT:-9001}:9001
volumes:
  - minio-data:/data
${unprivileged}
restart: unless-stopped
stop_grace_period: 30s`;

const footer = `${keySecrets}

volumes:
  minio-data:`;

function init(model: StackModel): string {
  return `${indented(bucketJob(model, localStore), 2)}
    depends_on:
      minio:
        condition: service_healthy`;
}
