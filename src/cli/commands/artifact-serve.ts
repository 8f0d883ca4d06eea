import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { parseTokens, type Token } from '../../control/tokens.ts';
import { HostError, systemErrorCode, UsageError } from '../../core/errors.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress } from '../../settings/index.ts';
import { storesOf } from '../artifacts/session.ts';
import { noun, type Register, withSettings } from '../context.ts';

/** Longer than callers and proxies (60 s is usual) keep a connection: who closes first must not be the one who is asked next. */
const KEEP_ALIVE_MS = 75_000;

interface Options {
  readonly api: ListenAddress;
  readonly tokens: string;
  readonly rate: number;
  readonly allowWrites?: boolean;
  readonly proxy: readonly string[];
}

export const artifactServe: Register = (program, context) => {
  const command = withSettings(
    noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.').command('serve'),
  )
    .description(
      'The HTTP API for who has no S3 keys: what does a channel mean now, signed URLs, granted uploads, links.',
    )
    .requiredOption('--tokens <file>', 'who may ask; read again when it changes (see `artifact token`)')
    .option('--api <host:port>', 'where it listens', address, { host: '127.0.0.1', port: 9003 })
    .option('--rate <n>', 'requests a second of one caller; of an address that says no name a tenth', rate, 50)
    .option('--allow-writes', 'grant uploads and make links; the S3 key must be allowed to write')
    .option('--proxy <address...>', 'proxies in front, whose X-Forwarded-For is believed', [])
    .addHelpText(
      'after',
      '\nSpeaks plain HTTP: put TLS in front of it where the network is not yours. GET /v1/openapi.json describes it.\n\nExample:\n  bucketwright artifact serve --tokens /etc/bucketwright/tokens.json --api 10.0.0.5:9003',
    );
  command.action(async (options: Options) => {
    const tokens = tokensOf(options.tokens);
    tokens();
    const { isWithin, networkOf } = await import('../../artifacts/index.ts');
    const proxies = options.proxy.map(networkOf);
    const stores = await storesOf(command, context);
    const { createArtifactApi } = await import('../../control/index.ts');
    const { systemClock } = await import('../../core/clock.ts');
    const log = pino({ base: null }, pino.destination({ dest: 2, sync: true }));
    const api = createArtifactApi({
      store: stores.store,
      tokens,
      rate: options.rate,
      clock: systemClock,
      log,
      writes: options.allowWrites === true,
      isProxy: (peer) => proxies.some((proxy) => isWithin(proxy, peer)),
    });
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, api.listener);
    try {
      await new Promise<void>((ready, reject) => {
        server.once('error', (error) => reject(cannotListen(options.api, error)));
        server.listen(options.api.port, options.api.host, () => ready());
      });
      log.info({ api: formatListenAddress(options.api) }, 'the artifact API is ready');
      if (!/^(?:127\.|::1$|localhost$)/.test(options.api.host)) {
        log.warn(
          { api: formatListenAddress(options.api) },
          'tokens cross the network in plain text unless TLS is in front',
        );
      }
      await new Promise<void>((end) => {
        process.once('SIGINT', () => end());
        process.once('SIGTERM', () => end());
      });
    } finally {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
      stores.close();
    }
  });
};

/** The file's tokens, read again when it has changed; a file that became wrong keeps those that were. */
function tokensOf(path: string): () => readonly Token[] {
  let held: readonly Token[] | undefined;
  let [changed, looked] = [0, 0];
  return () => {
    if (held !== undefined && Date.now() - looked < 2000) return held;
    looked = Date.now();
    try {
      const { mtimeMs } = statSync(path);
      if (held === undefined || mtimeMs !== changed) held = parseTokens(readFileSync(path, 'utf8'), path);
      changed = mtimeMs;
    } catch (error) {
      if (held !== undefined) return held;
      if (error instanceof UsageError) throw error;
      const code = systemErrorCode(error) ?? 'unknown';
      throw new UsageError(`${path} cannot be read (${code})`, {
        subject: path,
        advice: 'check --tokens',
        cause: error,
      });
    }
    return held;
  };
}

function cannotListen(api: ListenAddress, error: unknown): HostError {
  const code = systemErrorCode(error) ?? 'unknown';
  return new HostError(
    code === 'EADDRINUSE' ? 'address-in-use' : 'host',
    `cannot listen on ${formatListenAddress(api)} (${code})`,
    { subject: formatListenAddress(api), advice: 'choose another --api', cause: error },
  );
}

function address(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(`${parsed.problem}.`);
}

function rate(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.');
  return Number(text);
}
