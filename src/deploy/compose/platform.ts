import { document, indented, renderedBy, type StackModel } from '../../stack/index.ts';
import { ownImage, unprivileged } from './service.ts';

/** `docker-compose.yml`: the platform's own part. */
export function renderPlatform(_model: StackModel): string {
  return document(`
${renderedBy('compose')}
# The platform's own part: Bucketwright's embedded store. Loki and Tempo (observability/docker-compose.yml) keep their
# data on local volumes until one of the S3 files is added:
#   docker compose -f docker-compose.yml -f docker-compose.s3.yml \\
#     -f observability/docker-compose.yml -f observability/docker-compose.s3.yml up -d

services:
  bucketwright:
${indented(ownImage, 4)}
    command: [serve]
    environment:
      BUCKETWRIGHT_DATA: /data
      # All interfaces of the container; the host publishes on loopback alone.
      BUCKETWRIGHT_LISTEN: 0.0.0.0:9000
      BUCKETWRIGHT_ADMIN_LISTEN: 0.0.0.0:9002
    ports:
      # Not 9000: that is the S3 service of docker-compose.s3.yml.
      - 127.0.0.1:\${BUCKETWRIGHT_PORT:-9010}:9000
    volumes:
      # Objects, index and the generated keys (s3.env).
      - bucketwright-data:/data
    read_only: true
    tmpfs: [/tmp]
${indented(unprivileged, 4)}
    restart: unless-stopped
    # Requests in flight are finished first.
    stop_grace_period: 30s

volumes:
  bucketwright-data:
`);
}
