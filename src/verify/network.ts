import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemErrorCode } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { type Endpoint, isLoopback } from '../settings/index.ts';
import { CheckFailed, check, skipped } from './check.ts';

const TIMEOUT_MS = 10_000;
/** S3 refuses requests signed more than 15 minutes away; a third of that is still time to act. */
const SKEW_WARNING_MS = 5 * 60_000;
const SKEW_LIMIT_MS = 15 * 60_000;

export const portOf = (endpoint: Endpoint): number => endpoint.port ?? (endpoint.scheme === 'https' ? 443 : 80);

/** Whether the name resolves and something accepts connections there. */
export function checkReachable(endpoint: Endpoint): Promise<Finding> {
  return check(
    {
      id: 'reachable',
      subject: endpoint.url,
      expected: 'the name resolves and the port accepts connections',
      why: 'nothing else works before this does',
      advice: 'check S3_ENDPOINT, that the server runs, and that no firewall is in between',
    },
    async () => {
      const port = portOf(endpoint);
      const addresses = await lookup(endpoint.host, { all: true }).catch((error: unknown) => {
        throw new CheckFailed(`the name ${endpoint.host} does not resolve (${systemErrorCode(error) ?? 'unknown'})`);
      });
      await new Promise<void>((resolve, reject) => {
        const socket = connectTcp({ host: endpoint.host, port, timeout: TIMEOUT_MS });
        socket.once('connect', () => {
          socket.destroy();
          resolve();
        });
        socket.once('timeout', () => {
          socket.destroy();
          reject(new CheckFailed(`no answer from port ${port} within ${TIMEOUT_MS / 1000} s`));
        });
        socket.once('error', (error) => {
          reject(new CheckFailed(`port ${port} does not accept connections (${connectCode(error)})`));
        });
      });
      return `${addresses.map(({ address }) => address).join(', ')} port ${port}`;
    },
  );
}

function connectCode(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return systemErrorCode(first) ?? systemErrorCode(error) ?? 'unknown';
}

/** Whether the certificate is valid for the host; plain HTTP is said. */
export async function checkTls(endpoint: Endpoint): Promise<Finding> {
  if (endpoint.scheme === 'http') {
    return skipped(
      'tls',
      endpoint.url,
      `plain HTTP, as S3_INSECURE=true allows${isLoopback(endpoint.host) ? ' (loopback)' : ''}`,
    );
  }
  return check(
    {
      id: 'tls',
      subject: endpoint.url,
      expected: 'a TLS handshake with a certificate that is valid for this host',
      why: 'keys and objects must not cross a network that others can read',
    },
    () =>
      new Promise((resolve, reject) => {
        const port = portOf(endpoint);
        const servername = /^[0-9.]+$|:/.test(endpoint.host) ? {} : { servername: endpoint.host };
        const socket = connectTls({ host: endpoint.host, port, timeout: TIMEOUT_MS, ...servername });
        const fail = (found: string, advice: string) => {
          socket.destroy();
          reject(new CheckFailed(found, { advice }));
        };
        socket.once('secureConnect', () => {
          const until = Date.parse(socket.getPeerCertificate().valid_to);
          const days = Math.floor((until - Date.now()) / 86_400_000);
          const protocol = socket.getProtocol() ?? 'TLS';
          socket.destroy();
          if (days >= 14) return resolve(`${protocol}, certificate valid for ${days} more days`);
          resolve({
            status: 'warn',
            found: `${protocol}, certificate valid for only ${days} more days`,
            why: 'every client stops working when it runs out',
            advice: 'renew the certificate',
          });
        });
        socket.once('timeout', () =>
          fail(`no TLS handshake within ${TIMEOUT_MS / 1000} s`, 'check that the port speaks TLS'),
        );
        socket.once('error', (error) => {
          const code = systemErrorCode(error) ?? 'unknown';
          const plain = /WRONG_VERSION|PACKET_LENGTH|ECONNRESET|UNKNOWN_PROTOCOL|EPROTO/.test(code);
          fail(
            `the TLS handshake failed (${code})`,
            plain
              ? 'the server seems to speak plain HTTP: on a private network write http:// in S3_ENDPOINT and set S3_INSECURE=true'
              : "have a certificate issued for this host, or name the issuer's certificate in NODE_EXTRA_CA_CERTS",
          );
        });
      }),
  );
}

/** Compares the server's Date header with this machine's clock. */
export function checkClock(endpoint: Endpoint): Promise<Finding> {
  const facts = {
    id: 'clock-skew',
    subject: endpoint.url,
    expected: 'less than 5 minutes between the two clocks',
    why: 'signatures hold a time, and S3 refuses those that are 15 minutes off',
    advice: "set this machine's clock (NTP)",
  };
  return check(facts, async () => {
    const sent = Date.now();
    const date = await serverDate(endpoint);
    if (date === undefined) return { status: 'skip', found: 'the server sends no Date header' };
    // The header counts whole seconds; half the round trip is ours.
    const skew = date + 500 - (sent + Date.now()) / 2;
    const seconds = Math.round(Math.abs(skew) / 1000);
    const found =
      seconds <= 1 ? 'the clocks agree' : `the server's clock is ${seconds} s ${skew > 0 ? 'ahead' : 'behind'}`;
    if (Math.abs(skew) >= SKEW_LIMIT_MS) throw new CheckFailed(found);
    const { expected, why, advice } = facts;
    return Math.abs(skew) < SKEW_WARNING_MS ? found : { status: 'warn', found, expected, why, advice };
  });
}

function serverDate(endpoint: Endpoint): Promise<number | undefined> {
  const request = endpoint.scheme === 'https' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(endpoint.url, { method: 'HEAD', timeout: TIMEOUT_MS, agent: false }, (response) => {
      response.resume();
      const date = Date.parse(response.headers.date ?? '');
      resolve(Number.isNaN(date) ? undefined : date);
    });
    sent.once('timeout', () => sent.destroy(new CheckFailed('no answer to an HTTP request')));
    sent.once('error', (error) =>
      reject(
        error instanceof CheckFailed
          ? error
          : new CheckFailed(`no HTTP answer (${systemErrorCode(error) ?? 'unknown'})`),
      ),
    );
    sent.end();
  });
}
