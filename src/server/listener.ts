import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { systemErrorCode } from '../core/errors.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import { bind, type ListenAddress, urlOf } from './address.ts';
import type { AdmissionLimits } from './admission.ts';
import type { SlownessLimits } from './slow-clients.ts';
import { keepTlsFresh, readTls, type TlsFiles } from './tls.ts';

export interface Listener {
  readonly address: ListenAddress;
  /** `http://host:port` (`https:` with a certificate), with brackets around an IPv6 address. */
  readonly url: string;
  /** Stops taking connections, lets requests under way end, and cuts what has not ended after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}

export interface ListenerLimits extends AdmissionLimits, SlownessLimits {
  /** Milliseconds a client may take for the request's head; slow-loris clients end here. */
  readonly headersTimeout: number;
  /** Milliseconds without a byte in either direction while a request is under way. */
  readonly idleTimeout: number;
  /** Milliseconds a connection may wait for its next request. */
  readonly keepAliveTimeout: number;
  /** Bytes of request line and headers; S3 takes 8 KiB of metadata and headers, signatures and long keys come on top. */
  readonly maxHeaderSize: number;
  readonly maxConnections: number;
}

export const DEFAULT_LIMITS: ListenerLimits = {
  headersTimeout: 20_000,
  idleTimeout: 60_000,
  leastRate: 256,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 32 * 1024,
  maxConnections: 10_000,
  maxRequests: 2048,
  maxRequestsPerClient: 1024,
};

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * @param tls undefined: plain HTTP
 * @throws HostError `address-in-use`, `permission`, `host` when the certificate cannot be used
 */
export async function listen(
  at: ListenAddress,
  handler: Handler,
  limits: ListenerLimits = DEFAULT_LIMITS,
  tls?: TlsFiles | undefined,
  logger: Logger = silentLogger,
): Promise<Listener> {
  const { server, stop } = await httpServer(handler, limits, tls, logger);
  server.maxConnections = limits.maxConnections;
  const address = await bind(server, at).catch((error: unknown) => {
    stop();
    throw error;
  });
  return {
    address,
    url: urlOf(address, tls !== undefined),
    drain: (graceMs) => {
      stop();
      return drain(server, graceMs);
    },
  };
}

export interface HttpServer {
  readonly server: Server | TlsServer;
  /** Certificates are no longer looked after. */
  stop(): void;
}

/**
 * A server that answers, and does not listen yet.
 * @throws HostError `host`, `permission` when the certificate cannot be used
 */
export async function httpServer(
  handler: Handler,
  limits: ListenerLimits,
  tls: TlsFiles | undefined,
  logger: Logger,
): Promise<HttpServer> {
  const options = {
    headersTimeout: limits.headersTimeout,
    // A whole request may take hours (5 GiB over a slow line); what is bounded is silence.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeout,
    maxHeaderSize: limits.maxHeaderSize,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  };
  const material = tls === undefined ? undefined : await readTls(tls);
  const secure =
    material === undefined
      ? undefined
      : createTlsServer({ ...options, ...material, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }, handler);
  const server = secure ?? createServer(options, handler);
  server.timeout = limits.idleTimeout;
  // The body is asked for by the operation that wants it, once the headers were accepted.
  server.on('checkContinue', handler);
  // Any other expectation is nobody's: S3 ignores it, which RFC 9110 section 10.1.1 allows.
  server.on('checkExpectation', handler);
  server.on('clientError', refuseMalformed);
  const letBe = secure === undefined || tls === undefined ? undefined : keepTlsFresh(secure, tls, logger);
  return { server, stop: () => letBe?.() };
}

/** What Node's parser refuses never reaches the S3 service; the answer still is S3's kind of error. */
function refuseMalformed(error: Error, socket: Socket): void {
  const code = systemErrorCode(error);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, name, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ['400 Bad Request', 'RequestHeaderSectionTooLarge', 'Your request header and metadata exceed the maximum size.']
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['400 Bad Request', 'RequestTimeout', 'Your request was not received within the timeout period.']
        : ['400 Bad Request', 'BadRequest', 'The request is not well-formed HTTP.'];
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${name}</Code><Message>${message}</Message></Error>`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // An endless request must not keep the half-closed connection.
  setTimeout(() => socket.destroy(), 1000).unref();
}

async function drain(server: Server | TlsServer, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // Connections that fall idle during the drain would otherwise wait for their keep-alive to end.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
