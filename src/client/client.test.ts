import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { type Connection, providerNamed } from '../providers/index.ts';
import { parseEndpoint } from '../settings/index.ts';
import { ClientError, createClient } from './index.ts';

// These answers were seen from Hetzner, Ceph and proxies in front of them; here a loopback server repeats them.
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

async function listen(server: Server | HttpServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function clientOf(url: string, attempts = 1) {
  const endpoint = parseEndpoint(url);
  const provider = providerNamed('generic');
  if (!endpoint.ok || provider === undefined) throw new Error(url);
  const connection: Connection = {
    endpoint: endpoint.value,
    credentials: { accessKeyId: new Secret('AKIDEXAMPLE'), secretAccessKey: new Secret('secret-never-shown') },
    region: 'us-east-1',
    forcePathStyle: true,
    checksums: 'when-required',
    provider,
  };
  return createClient(connection, { attempts, connectMs: 1_000, idleMs: 2_000 });
}

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ClientError)) throw new Error(`expected a ClientError, got ${String(error)}`);
  return error;
}

const xml = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;

describe('an answer is told apart by S3 code, then by status', () => {
  test.each([
    [404, 'application/xml', xml('NoSuchKey'), 'no-such-key'],
    [404, 'application/xml', xml('NoSuchBucket'), 'no-such-bucket'],
    [404, 'text/plain', '', 'no-such-key'],
    [403, 'application/xml', xml('SignatureDoesNotMatch'), 'bad-credentials'],
    [403, 'application/xml', xml('RequestTimeTooSkewed'), 'clock-skew'],
    [403, 'application/xml', xml('AccessDenied'), 'denied'],
    [403, 'text/html', '<html><body>no</body></html>', 'denied'],
    [429, 'text/html', '<html><body><h1>429 Too Many Requests</h1></body></html>', 'throttled'],
    [501, 'text/html', '<!DOCTYPE html><html><p>not here', 'not-implemented'],
    [503, 'application/xml', xml('SlowDown'), 'throttled'],
    [400, 'text/plain', '', 'refused'],
    [500, 'application/xml', xml('InternalError'), 'server'],
  ])('%i %s is %4$s', async (status, type, body, code) => {
    const port = await listen(
      createServer(
        (_, response) => void response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body),
      ),
    );
    const client = clientOf(`http://127.0.0.1:${port}`);
    const error = await failure(client.get({ bucket: 'b', key: 'k' }));
    client.close();
    expect({ code: error.code, status: error.status }).toEqual({ code, status });
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('secret-never-shown');
  });
});

test('a broken connection is tried once more, for what can be repeated', async () => {
  let connections = 0;
  const port = await listen(
    createTcpServer((socket) => {
      connections += 1;
      const broken = connections === 1;
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.end(
          broken
            ? '<Error>leftover</Error>'
            : 'HTTP/1.1 200 OK\r\nETag: "abc"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
        );
      });
    }),
  );
  const client = clientOf(`http://127.0.0.1:${port}`);
  expect(await client.put({ bucket: 'b', key: 'k', body: { bytes: 'x' } })).toEqual({ etag: 'abc' });
  client.close();
  expect(connections).toBe(2);
});

test('nobody listening is unreachable, and TLS against plain HTTP is tls', async () => {
  const server = createServer((_, response) => void response.end());
  const port = await listen(server);
  const secure = clientOf(`https://127.0.0.1:${port}`);
  expect((await failure(secure.headBucket('b'))).code).toBe('tls');
  secure.close();
  await new Promise((done) => server.close(done));
  servers.length = 0;
  const gone = clientOf(`http://127.0.0.1:${port}`);
  expect((await failure(gone.headBucket('b'))).code).toBe('unreachable');
  gone.close();
});

test('a presigned PUT carries no checksum of an empty body', () => {
  const client = clientOf('https://s3.example.com');
  const url = client.presign({ method: 'PUT', bucket: 'b', key: 'k', expiresSeconds: 60 });
  client.close();
  expect(url).toContain('https://s3.example.com/b/k?');
  expect(url.toLowerCase()).not.toContain('checksum-crc');
});
