import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Secret } from '../../src/core/secret.ts';
import { signRequest } from '../../src/sigv4/index.ts';
import type { S3Endpoint } from '../support/endpoint.ts';

/**
 * The head of a signed request, for clients that no library would be: slow, stalled, or stopping in the middle.
 * @param target path and query, encoded
 * @param bytes the declared length of the body
 */
export function signedHead(endpoint: S3Endpoint, method: string, target: string, bytes: number): string {
  const { host, port, region, accessKeyId, secretAccessKey } = endpoint;
  const [rawPath = '', rawQuery = ''] = target.split('?');
  const headers = { host: `${host}:${port}`, 'content-length': String(bytes) };
  const secret = new Secret(secretAccessKey);
  const signed = signRequest(
    { method, rawPath, rawQuery, headers },
    { kind: 'unsigned' },
    { accessKeyId, secret, region, now: Date.now() },
  );
  const lines = Object.entries({ ...headers, ...signed.headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A connected socket. What the server does to it later is no error here: it is what the tests are about. */
export async function connected({ host, port }: S3Endpoint): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return socket;
}

/** Everything the server says until it closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
