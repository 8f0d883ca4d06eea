import { BlockList, isIP } from 'node:net';
import { ok, type Parsed, problem } from './parsed.ts';

/** Where an S3 API is: scheme, host and port, and nothing else. */
export interface Endpoint {
  readonly scheme: 'https' | 'http';
  /** Lower case, without brackets around an IPv6 address. */
  readonly host: string;
  /** Undefined: the scheme's own, 443 or 80. */
  readonly port: number | undefined;
  /** Canonical, without a slash at the end: `https://fsn1.your-objectstorage.com`. */
  readonly url: string;
  /** As URLs and many configuration files write it: `host`, `host:port`, `[::1]:9000`. */
  readonly authority: string;
}

/** `https://` is assumed when there is no scheme; a path, query or user name is a problem. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(text);
  const scheme = (match?.[1] ?? 'https').toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme !== 'https' && scheme !== 'http') return problem('must start with https:// or http://');
  if (rest.includes('@')) return problem('must not hold a user name or password; keys have settings of their own');
  const authority = rest.replace(/\/$/, '');
  if (authority.includes('/'))
    return problem('must not hold a path: the bucket and the prefix have settings of their own');
  if (/[?#]/.test(authority)) return problem('must not hold a query or fragment');
  if (authority === '' || /[\s\\,;"'<>]/.test(authority))
    return problem('must be a host name or address, with :port or without');
  if (/:$/.test(authority) || !URL.canParse(`${scheme}://${authority}`)) {
    return problem('must be a host name or address, with :port or without');
  }
  const url = new URL(`${scheme}://${authority}`);
  if (url.port === '0') return problem('must not hold port 0');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return ok({
    scheme,
    host,
    port: url.port === '' ? undefined : Number(url.port),
    url: `${scheme}://${url.host}`,
    authority: url.host,
  });
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const privateNetworks = new BlockList();
// RFC 1918, link-local (RFC 3927, RFC 4291) and unique local addresses (RFC 4193).
privateNetworks.addSubnet('10.0.0.0', 8, 'ipv4');
privateNetworks.addSubnet('172.16.0.0', 12, 'ipv4');
privateNetworks.addSubnet('192.168.0.0', 16, 'ipv4');
privateNetworks.addSubnet('169.254.0.0', 16, 'ipv4');
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
privateNetworks.addSubnet('fe80::', 10, 'ipv6');

/** Whether a host (name or address) is this machine itself. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family !== 0) return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
  return host === 'localhost' || host.endsWith('.localhost');
}

/**
 * Whether plain HTTP to this host stays off the public network: loopback, a private-network address, or a single-label
 * name such as `minio`, which only a container network or a local resolver can answer.
 */
export function isPrivateHost(host: string): boolean {
  if (isLoopback(host)) return true;
  const family = isIP(host);
  if (family !== 0) return privateNetworks.check(host, family === 6 ? 'ipv6' : 'ipv4');
  return !host.replace(/\.$/, '').includes('.');
}
