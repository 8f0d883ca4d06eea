import type { StackModel } from '../../stack/index.ts';
import { isVariable, mapAt, textAt } from '../check/configuration.ts';
import { MigrationError } from './errors.ts';

export type Block = Readonly<Record<string, unknown>>;

/** The S3 block of Loki's Thanos client, as `bucketwright render loki` writes it. */
export function s3Block({ store, loki }: StackModel): Block {
  return {
    endpoint: store.authority,
    insecure: store.insecure,
    region: store.region,
    bucket_name: loki.bucket,
    bucket_lookup_type: store.pathStyle ? 'path' : 'virtual-hosted',
    dualstack_enabled: false,
    max_retries: 10,
  };
}

/**
 * What a block of the older client (`storage_config.aws`, `common.storage.s3`) is for the Thanos client: the same bucket
 * at the same endpoint with the same keys. Names: Loki's page "Migrate to Thanos storage clients".
 * @throws MigrationError for what the Thanos client cannot read: several buckets, another delimiter in chunk names
 */
export function translatedBlock(subject: string, old: Block, model: StackModel): Block {
  const refuse = (message: string, advice: string): never => {
    throw new MigrationError(`${subject}: ${message}`, { subject, advice: `${advice}; nothing was written` });
  };
  const text = (name: string) => textAt(old, name);
  if (text('chunk_delimiter') !== undefined) {
    refuse(
      'chunk_delimiter changes the names of chunks, and the Thanos client has no such key',
      'stay with the older client',
    );
  }
  const url = urlParts(text('s3'));
  if (url === 'unreadable')
    refuse('its S3 URL (s3:) cannot be read', 'write endpoint, region, bucketnames and keys instead');
  const parts = typeof url === 'object' ? url : {};
  const bucket = text('bucketnames') ?? parts.bucket ?? model.loki.bucket;
  if (bucket.includes(','))
    refuse(`it has several buckets (${bucket})`, 'the Thanos client has one: bring them together first');
  const endpoint = text('endpoint') ?? parts.endpoint;
  const region = text('region') ?? parts.region;
  const address = endpoint === undefined || isVariable(endpoint) ? undefined : endpoint;
  const aws = `s3.${region ?? 'us-east-1'}.amazonaws.com`;
  const block: Record<string, unknown> = {
    endpoint:
      address?.replace(/^https?:\/\//, '').replace(/\/+$/, '') ??
      (endpoint === undefined ? aws : model.store.authority),
    insecure:
      address === undefined && endpoint !== undefined
        ? model.store.insecure
        : text('insecure') === 'true' || /^http:/.test(address ?? ''),
    region: region ?? model.store.region,
    bucket_name: bucket,
    bucket_lookup_type: text('s3forcepathstyle') === 'true' ? 'path' : 'auto',
    dualstack_enabled: false,
    max_retries: 10,
  };
  const keys = { access_key_id: parts.keyId, secret_access_key: parts.secret, session_token: undefined };
  for (const [name, fallback] of Object.entries(keys)) {
    const value = text(name) ?? fallback;
    if (value !== undefined) block[name] = value;
  }
  if (text('storage_class') !== undefined) block.storage_class = text('storage_class');
  const sse = mapAt(old, 'sse');
  if (sse !== undefined) block.sse = sse;
  const http = httpBlock(mapAt(old, 'http_config'));
  if (http !== undefined) block.http = http;
  return block;
}

function httpBlock(old: Block | undefined): Block | undefined {
  const names = {
    idle_conn_timeout: 'idle_conn_timeout',
    response_header_timeout: 'response_header_timeout',
    insecure_skip_verify: 'insecure_skip_verify',
    ca_file: 'tls_ca_path',
  };
  const entries = Object.entries(names).flatMap(([was, is]) =>
    old?.[was] === undefined ? [] : [[is, old[was]] as const],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

interface UrlParts {
  readonly endpoint?: string;
  readonly region?: string;
  readonly bucket?: string;
  readonly keyId?: string;
  readonly secret?: string;
}

/** `s3://KEY:SECRET@HOST-OR-REGION/BUCKET`: a host without a dot is a region of AWS. */
function urlParts(text: string | undefined): UrlParts | 'unreadable' | undefined {
  if (text === undefined) return undefined;
  if (isVariable(text) || !URL.canParse(text)) return 'unreadable';
  const { protocol, host, hostname, username, password, pathname } = new URL(text);
  if (protocol !== 's3:') return 'unreadable';
  const bucket = decodeURIComponent(pathname.replace(/^\/|\/$/g, ''));
  const place = hostname.includes('.') || host !== hostname ? { endpoint: host } : { region: hostname };
  return {
    ...(hostname === '' ? {} : place),
    ...(bucket === '' ? {} : { bucket }),
    ...(username === '' ? {} : { keyId: decodeURIComponent(username), secret: decodeURIComponent(password) }),
  };
}
