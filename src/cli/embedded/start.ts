import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Logger } from '../../core/logger.ts';
import type { Connection } from '../../providers/index.ts';
import { providerNamed } from '../../providers/index.ts';
import { endSoon } from '../../server/end-at-once.ts';
import { startServer } from '../../server/index.ts';
import { type Credentials, formatOrigin, isLoopback, parseEndpoint, type Settings } from '../../settings/index.ts';
import { type KeyFileFacts, keyFilePath, keysOf, keysOfAnother, refreshKeyFile, usesKeyFile } from './key-file.ts';
import { forgetRunning, recordRunning } from './pid-file.ts';

/** The embedded server, started from the settings, with the keys it accepts. */
export interface EmbeddedServer {
  readonly url: string;
  readonly adminUrl: string;
  readonly connection: Connection;
  /** Undefined: the keys came from settings, and no file was made. */
  readonly keyFile: string | undefined;
  /** The keys came from settings, and look like another server's. */
  readonly keysOfAnother: boolean;
  close(): Promise<void>;
}

export interface StartOptions {
  /** Made at the start besides those of the settings, where they are missing. */
  readonly buckets?: readonly string[];
  /** Takes requests signed for any region. */
  readonly anyRegion?: boolean;
}

/** Writes meet in one index: more processes than this only help where reads prevail. */
const MOST_PROCESSES = 4;
const DEFAULT_REGION = 'us-east-1';

/**
 * Starts the server of the settings' data directory, makes its keys where there are none, and records its pid there.
 * @throws HostError as `startServer` does, or when the key file cannot be made
 */
export async function startEmbedded(
  settings: Settings,
  logger: Logger,
  { buckets: wanted = [], anyRegion = false }: StartOptions = {},
): Promise<EmbeddedServer> {
  const { server, buckets } = settings;
  const data = resolve(server.data);
  const region = server.region ?? DEFAULT_REGION;
  const facts = (url: string): KeyFileFacts => ({ endpoint: url, region, buckets });
  const { host, port } = server.listen;
  const scheme = server.tls === undefined ? 'http' : 'https';
  const expected = clientUrl(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const generated = await usesKeyFile(data, server.credentials);
  const credentials = server.credentials ?? (await keysOf(data, facts(expected)));
  const running = await startServer({
    listen: server.listen,
    adminListen: server.adminListen,
    data,
    region,
    anyRegion,
    buckets: [...new Set([...server.buckets, ...wanted])],
    rootCredentials: { accessKeyId: credentials.accessKeyId.reveal(), secretAccessKey: credentials.secretAccessKey },
    durability: server.durability,
    abandonedUploadAge: server.abandonedUploadAge,
    lifecycleDay: server.lifecycleDay,
    tls:
      server.tls === undefined
        ? undefined
        : { certificate: resolve(server.tls.certificate), key: resolve(server.tls.key) },
    processes: server.processes === 'auto' ? Math.min(MOST_PROCESSES, availableParallelism()) : server.processes,
    limits: { maxRequests: server.maxRequests, maxRequestsPerClient: server.maxRequestsPerClient },
    objectOwnership: server.objectOwnership,
    serverKey: server.serverKey,
    domain: server.domain,
    logger,
  });
  void running.broken.then((error) => {
    logger.error({ err: error, advice: error.advice }, error.message);
    return endSoon();
  });
  const url = clientUrl(running.url);
  try {
    if (generated) await refreshKeyFile(data, credentials, facts(url));
    await recordRunning(data, { pid: process.pid, url });
  } catch (error) {
    await running.close();
    throw error;
  }
  return {
    url,
    adminUrl: running.adminUrl,
    connection: embeddedConnection(url, region, credentials),
    keysOfAnother: await keysOfAnother(settings, url),
    keyFile: generated ? keyFilePath(server.data) : undefined,
    async close() {
      await running.close();
      await forgetRunning(data, process.pid);
    },
  };
}

/** How this machine reaches a server of ours. */
export function embeddedConnection(url: string, region: string, credentials: Credentials): Connection {
  const provider = providerNamed('embedded');
  const endpoint = parseEndpoint(url);
  if (provider === undefined || !endpoint.ok) throw new TypeError(`no connection to ${url}`);
  return {
    endpoint: endpoint.value,
    credentials,
    region,
    forcePathStyle: provider.pathStyle,
    checksums: provider.checksums,
    provider,
  };
}

/** Where clients on this machine reach a server that listens on all addresses. */
function clientUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** What somebody who starts a server should know, a line each. */
export function banner(settings: Settings, server: EmbeddedServer): readonly string[] {
  const { data, durability, listen, tls } = settings.server;
  const lines = [
    `bucketwright serves S3 on ${server.url}, health and metrics on ${server.adminUrl}`,
    `data directory ${resolve(data)}; keys ${server.keyFile === undefined ? 'from settings' : `in ${server.keyFile}`}`,
    'single node: the objects are as durable as this disk; keep backups elsewhere',
  ];
  if (server.keysOfAnother) lines.push(`warning: ${otherKeysNotice(settings)}`);
  if (durability === 'relaxed') {
    lines.push('durability relaxed: when the machine fails, acknowledged writes may be lost and the index be damaged');
  }
  if (!isLoopback(listen.host) && tls === undefined) {
    lines.push(`warning: listening on ${listen.host} without TLS; keys are safe, objects can be read on the network`);
  }
  return lines;
}

/** What somebody should know whose shell has sourced the `s3.env` of another server. */
export function otherKeysNotice({ server, effective }: Settings): string {
  const found = effective.find(({ name }) => name === 'S3_ACCESS_KEY_ID');
  const origin = found === undefined ? 'settings' : formatOrigin(found.origin);
  return `the keys are those of ${origin}, and not of ${keyFilePath(server.data)}: if this shell has sourced another server's s3.env, unset S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY and start again`;
}
