import type { AddressInfo, Server } from 'node:net';
import { HostError, systemErrorCode } from '../core/errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * Has the server listen.
 * @returns with the port that it got
 * @throws HostError `address-in-use`, `permission`, `host`
 */
export function bind(server: Server, at: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, at));
    server.once('error', fail);
    server.listen(at.port, at.host, 4096, () => {
      server.off('error', fail);
      resolve(boundAddress(server.address(), at));
    });
  });
}

/** `http://host:port` (`https:` with a certificate), with brackets around an IPv6 address. */
export function urlOf({ host, port }: ListenAddress, secure: boolean): string {
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function boundAddress(address: string | AddressInfo | null, at: ListenAddress): ListenAddress {
  return { host: at.host, port: address !== null && typeof address === 'object' ? address.port : at.port };
}

function listenError(error: Error, at: ListenAddress): Error {
  const subject = `${at.host}:${at.port}`;
  switch (systemErrorCode(error)) {
    case 'EADDRINUSE':
      return new HostError('address-in-use', `${subject} is taken by another program`, {
        subject,
        cause: error,
        advice: 'stop that program, or choose another address with BUCKETWRIGHT_LISTEN=host:port',
      });
    case 'EACCES':
      return new HostError('permission', `${subject} may not be opened by this user`, {
        subject,
        cause: error,
        advice: 'choose a port above 1023',
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HostError('host', `${at.host} is not an address of this machine`, { subject, cause: error });
    default:
      return error;
  }
}
