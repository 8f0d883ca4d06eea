import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalStore } from '../store/index.ts';
import type { ServerMetrics } from './metrics.ts';

/**
 * What operators and orchestrators ask, on a port of its own: `/healthz` (the process lives), `/readyz` (index open, disk
 * writable), `/metrics`, `/lifecycle` (of each bucket, the last run that removed something).
 */
export function createAdminHandler(
  store: Pick<LocalStore, 'health' | 'lifecycleReports'>,
  scrape: ServerMetrics['scrape'],
  draining: () => boolean,
): (req: IncomingMessage, res: ServerResponse) => void {
  const readiness = async () => {
    if (draining()) return { status: 503, text: 'draining\n' };
    const health = await store.health();
    return health.writable
      ? { status: 200, text: 'ready\n' }
      : { status: 503, text: `${health.reason ?? 'not writable'}\n` };
  };
  const answer = async (path: string): Promise<{ status: number; text: string; contentType?: string }> => {
    switch (path) {
      case '/healthz':
        return { status: 200, text: 'alive\n' };
      case '/readyz':
        return readiness();
      case '/metrics':
        return { status: 200, ...(await scrape()) };
      case '/lifecycle':
        return { status: 200, contentType: 'application/json', text: `${JSON.stringify(store.lifecycleReports())}\n` };
      default:
        return { status: 404, text: 'not found: this port answers /healthz, /readyz, /metrics and /lifecycle\n' };
    }
  };
  return (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    answer((req.url ?? '').split('?', 1)[0] ?? '').then(
      ({ status, text, contentType }) => {
        res.writeHead(status, { 'content-type': contentType ?? 'text/plain; charset=utf-8' });
        res.end(req.method === 'HEAD' ? undefined : text);
      },
      (error: unknown) => res.writeHead(500).end(`${String(error)}\n`),
    );
  };
}
