import { isIP } from 'node:net';
import { ok, type Parsed, problem } from './parsed.ts';

/** Where a server listens. Port 0: any free one. */
export interface ListenAddress {
  /** Without brackets around an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9000`, `[::1]:9000`, `localhost:9000`. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return problem('must be host:port');
  if (match?.[1] !== undefined && isIP(host) !== 6) return problem('must hold an IPv6 address between the brackets');
  if (port > 65_535) return problem('must hold a port from 0 to 65535');
  return ok({ host, port });
}

/** As URLs write it: `[::1]:9000`. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
