import { document, imageReference, indented, localStore, renderedBy, type StackModel } from '../../stack/index.ts';
import { secretName, stateful } from './service.ts';

/** `deploy/swarm/store.yml`: the embedded store as the S3 service of a Swarm, where there is no provider. */
export function renderSwarmStore(_model: StackModel): string {
  return document(`
${renderedBy('swarm')}
# For a Swarm without an S3 provider: Bucketwright's own store, on one node, by the name that it has in the compose
# files. Deployed in the same stack as the others. Not needed with Hetzner, AWS and the like.
version: "3.8"

services:
  minio:
    image: ${imageReference('bucketwright')}
    command: [serve]
    environment:
      BUCKETWRIGHT_DATA: /data
      BUCKETWRIGHT_LISTEN: 0.0.0.0:9000
      BUCKETWRIGHT_ADMIN_LISTEN: 0.0.0.0:9002
      S3_REGION: ${localStore.region}
      S3_ACCESS_KEY_ID_FILE: /run/secrets/s3_access_key_id
      S3_SECRET_ACCESS_KEY_FILE: /run/secrets/s3_secret_access_key
    secrets:
      - source: s3_access_key_id
        uid: "1000"
        mode: 0400
      - source: s3_secret_access_key
        uid: "1000"
        mode: 0400
    volumes:
      - minio-data:/data
    networks: [observability]
    read_only: true
    # The image has its own health check. Requests in flight are finished before it stops.
    stop_grace_period: 30s
${indented(stateful('512M', '1.0'), 4)}

secrets:
  s3_access_key_id:
    external: true
    name: ${secretName('S3_ACCESS_KEY_ID_SECRET', 's3_access_key_id')}
  s3_secret_access_key:
    external: true
    name: ${secretName('S3_SECRET_ACCESS_KEY_SECRET', 's3_secret_access_key')}

networks:
  observability:
    driver: overlay
    attachable: true

volumes:
  minio-data:
`);
}
