import type { Socket } from 'node:net';
import type { Logger } from '../core/logger.ts';
import { type Handler, httpServer, type ListenerLimits } from './listener.ts';
import type { TlsFiles } from './tls.ts';

/** Answers on connections that another process has accepted. */
export interface HandedConnections {
  take(socket: Socket): void;
  /** Lets requests under way end, and cuts what has not ended after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

/**
 * @param tls undefined: plain HTTP
 * @throws HostError `host`, `permission` when the certificate cannot be used
 */
export async function serveHanded(
  handler: Handler,
  limits: ListenerLimits,
  tls: TlsFiles | undefined,
  logger: Logger,
): Promise<HandedConnections> {
  const { server, stop } = await httpServer(handler, limits, tls, logger);
  // From this event on node:http looks after heads that come too slowly. It comes from nowhere else: nobody listens.
  server.emit('listening');
  const open = new Set<Socket>();
  let onEmpty: (() => void) | undefined;
  return {
    take(socket) {
      if (open.size >= limits.maxConnections) {
        socket.destroy();
        return;
      }
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        if (open.size === 0) onEmpty?.();
      });
      server.emit('connection', socket);
    },
    async drain(graceMs) {
      stop();
      server.closeIdleConnections();
      // Connections that fall idle during the drain would otherwise wait for their keep-alive to end.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, graceMs);
      if (open.size > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
        });
      }
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
