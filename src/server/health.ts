import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget } from '../s3/target.ts';
import type { ObjectStore } from '../store/index.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export interface HealthOptions {
  readonly store: Pick<ObjectStore, 'health'>;
  readonly domain: string | undefined;
  draining(): boolean;
}

/** Nobody has to sign for readiness, and each look at it writes to the disk: an answer serves whoever asks within this. */
const FRESH_MS = 1000;

/**
 * MinIO's health paths, on the S3 port, for whoever asks without a signature: compose files, Helm charts and load
 * balancers that were written for MinIO probe them (min.io/docs, "Healthcheck API"). `minio` is a legal bucket name: a
 * request that carries a signature, of whatever kind, or names its bucket in the Host header goes to S3.
 */
export function withHealthPaths(s3: Handler, { store, domain, draining }: HealthOptions): Handler {
  let last: { readonly at: number; readonly writable: Promise<boolean> } | undefined;
  const writable = (): Promise<boolean> => {
    const now = performance.now();
    if (last === undefined || now - last.at > FRESH_MS) {
      last = {
        at: now,
        writable: store.health().then(
          (health) => health.writable,
          () => false,
        ),
      };
    }
    return last.writable;
  };
  return (req, res) => {
    const probe = probeOf(req, domain);
    if (probe === undefined) return s3(req, res);
    const answer = (healthy: boolean) => {
      res.writeHead(healthy ? 200 : 503, {
        'content-length': 0,
        'cache-control': 'no-store',
        ...(!healthy && { 'x-minio-server-status': 'offline' }),
      });
      res.end();
    };
    if (probe === 'live') answer(true);
    else if (draining()) answer(false);
    else void writable().then(answer);
  };
}

/** `live` asks for the process, `ready` for a disk that takes writes; undefined: an S3 request. */
function probeOf(
  { method, url = '', headers }: IncomingMessage,
  domain: string | undefined,
): 'live' | 'ready' | undefined {
  if (!url.startsWith('/minio/health/')) return undefined;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const mark = url.indexOf('?');
  const query = mark === -1 ? '' : url.slice(mark + 1);
  // Signature version 2's names too: S3 refuses those by name, which a 200 would hide.
  if (headers.authorization !== undefined || /(?:^|&)(?:x-amz-|awsaccesskeyid=|signature=)/i.test(query))
    return undefined;
  if (namesBucketInHost(headers.host, domain)) return undefined;
  switch (mark === -1 ? url : url.slice(0, mark)) {
    case '/minio/health/live':
      return 'live';
    case '/minio/health/ready':
    case '/minio/health/cluster':
    case '/minio/health/cluster/read':
      return 'ready';
    default:
      return undefined;
  }
}

function namesBucketInHost(host: string | undefined, domain: string | undefined): boolean {
  return parseTarget('/', host, domain).bucket !== '';
}
