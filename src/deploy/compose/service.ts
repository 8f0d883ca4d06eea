import { imageReference, indented, quoted, type StackModel, type StoreTarget } from '../../stack/index.ts';

/** Pieces that several compose files share. */

/** What every container of the stack gives up. */
export const unprivileged = `cap_drop: [ALL]
security_opt: ["no-new-privileges:true"]`;

/** Where the files under observability/ are, seen from the first -f file: see observability/.env. */
export const observabilityDirectory = `\${OBSERVABILITY_DIR:-./observability}`;

/** Where the Dockerfile is, likewise. */
const source = `\${BUCKETWRIGHT_SOURCE:-.}`;

/**
 * Keys as files in containers: `docker inspect` shows environments, not these. Compose copies them in when it creates a
 * container, which it cannot do on a read-only root.
 */
export const keySecrets = `secrets:
  s3_access_key_id:
    environment: S3_ACCESS_KEY_ID
  s3_secret_access_key:
    environment: S3_SECRET_ACCESS_KEY`;

/** Our image, built from the checkout where it is not there yet. */
export const ownImage = `image: ${imageReference('bucketwright')}
build: ${source}`;

/**
 * The one-shot job that makes the buckets.
 * @param store the endpoint to make them at
 */
export function bucketJob({ loki, tempo }: StackModel, store: StoreTarget): string {
  return `# Makes the buckets, idempotently, and exits 0. Others wait for it with service_completed_successfully.
minio-init:
${indented(ownImage, 2)}
  command: [provision, --wait, 60s]
  # The image's health check asks a server, which this is not.
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
  secrets: [s3_access_key_id, s3_secret_access_key]
  # No security_opt: two files define this job, and Compose appends that list to itself and then refuses it.
  cap_drop: [ALL]
  restart: "no"`;
}
