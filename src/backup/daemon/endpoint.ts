import { createServer } from 'node:http';
import { HostError, systemErrorCode } from '../../core/errors.ts';
import type { BackupMetrics } from './metrics.ts';

export interface MetricsEndpoint extends AsyncDisposable {
  /** The port that it listens on, where 0 was asked for. */
  readonly port: number;
}

/**
 * `/metrics` for Prometheus and `/healthz` for an orchestrator.
 * @throws HostError `address-in-use`, `host`
 */
export async function serveMetrics(metrics: BackupMetrics, host: string, port: number): Promise<MetricsEndpoint> {
  const server = createServer((req, res) => {
    if (req.url === '/healthz') {
      res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('alive\n');
    } else if (req.url === '/metrics') {
      metrics.scrape().then(
        ({ contentType, text }) => res.writeHead(200, { 'content-type': contentType }).end(text),
        (error: unknown) => res.writeHead(500).end(`${String(error)}\n`),
      );
    } else res.writeHead(404).end('not found: this port answers /healthz and /metrics\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemErrorCode(error) === 'EADDRINUSE' ? 'address-in-use' : 'host';
      reject(
        new HostError(code, `${host}:${port} cannot be listened on (${systemErrorCode(error) ?? 'unknown'})`, {
          subject: `${host}:${port}`,
          advice: 'choose another address with listen',
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
