import { IncomingMessage } from 'node:http';
import type { Context } from 'hono';

/** What a request says, wherever it came from. */
export interface Asked {
  readonly method: string;
  /** Path and query, as on the wire. */
  readonly target: string;
  /** Host, and port where it is not the scheme's own; lower case. */
  readonly authority: string;
  header(name: string): string | undefined;
  /** The IP address that asks, or empty where there is no socket. */
  peer(): string;
}

export function askedOfNode(request: IncomingMessage): Asked {
  const { method = '', url = '/', headers, socket } = request;
  return {
    method,
    target: url,
    authority: headers.host?.toLowerCase() ?? '',
    header: (name) => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    peer: () => socket.remoteAddress ?? '',
  };
}

/** By Node's own request where there is one: making the Fetch API's of it costs more than most answers. */
export function askedOf(context: Context): Asked {
  const { env }: { readonly env: unknown } = context;
  if (typeof env === 'object' && env !== null && 'incoming' in env && env.incoming instanceof IncomingMessage) {
    return askedOfNode(env.incoming);
  }
  const { method, url } = context.req.raw;
  const { host, pathname, search } = new URL(url);
  return {
    method,
    target: `${pathname}${search}`,
    authority: host,
    header: (name) => context.req.header(name),
    peer: () => '',
  };
}
