import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BucketConfiguration } from '../../src/bucket/index.ts';
import { type BucketClient, ClientError, createBucketClient } from '../../src/client/index.ts';
import { bucketName, type DisposableEndpoint, endpointOf } from '../support/endpoint.ts';
import { connectionTo, onEach } from './targets.ts';

const samples: Partial<BucketConfiguration> = {
  versioning: 'enabled',
  tags: { team: 'platform', 'with space': 'a + b' },
  cors: [
    {
      origins: ['https://app.example.com'],
      methods: ['GET', 'PUT'],
      headers: ['*'],
      exposeHeaders: ['etag'],
      maxAgeSeconds: 600,
    },
  ],
  lifecycle: [
    { id: 'abort', enabled: true, prefix: '', tags: {}, abortUploadsDays: 7 },
    { id: 'logs', enabled: true, prefix: 'logs/', tags: {}, expireDays: 30, noncurrentDays: 5 },
    { id: 'tagged', enabled: false, prefix: 'tmp/', tags: { kind: 'scratch' }, expireDays: 1 },
  ],
  publicAccessBlock: {
    blockPublicAcls: true,
    ignorePublicAcls: true,
    blockPublicPolicy: false,
    restrictPublicBuckets: false,
  },
};

onEach('bucket configuration', (target) => {
  let endpoint: DisposableEndpoint;
  let client: BucketClient;
  const bucket = bucketName('config');
  beforeAll(async () => {
    endpoint = await target.start();
    client = createBucketClient(connectionTo(endpoint, target.name));
    await client.create(bucket);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  });

  test('the bucket is listed and has a place', async () => {
    expect(await client.list()).toContain(bucket);
    expect(typeof (await client.location(bucket))).toBe('string');
  });

  test('every attribute that the profile knows is written, read back and removed; of the others nothing is sent', async () => {
    for (const attribute of ['versioning', 'tags', 'cors', 'lifecycle', 'publicAccessBlock'] as const) {
      const before = client.requests;
      if (client.supports(attribute) === 'no') {
        await expect(client.read(bucket, attribute), attribute).rejects.toMatchObject({ code: 'not-implemented' });
        await expect(client.clear(bucket, attribute), attribute).rejects.toMatchObject({ code: 'not-implemented' });
        expect(client.requests, attribute).toBe(before);
        continue;
      }
      expect(await client.read(bucket, attribute), attribute).toEqual(attribute === 'versioning' ? 'off' : undefined);
      await roundTrip(attribute);
      if (attribute === 'versioning') continue;
      await client.clear(bucket, attribute);
      expect(await client.read(bucket, attribute), attribute).toBeUndefined();
    }
  });

  async function roundTrip<A extends keyof BucketConfiguration>(attribute: A): Promise<void> {
    const value = samples[attribute];
    if (value === undefined) throw new Error(attribute);
    await client.write(bucket, attribute, value);
    expect(await client.read(bucket, attribute), attribute).toEqual(value);
  }

  test('a policy is kept', async () => {
    if (client.supports('policy') === 'no') return;
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'read',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam:::user/p1002' },
          Action: 's3:GetObject',
          Resource: `arn:aws:s3:::${bucket}/shared/*`,
        },
      ],
    };
    await client.write(bucket, 'policy', policy);
    expect(await client.read(bucket, 'policy')).toEqual(policy);
    await client.clear(bucket, 'policy');
    expect(await client.read(bucket, 'policy')).toBeUndefined();
  });

  test('object lock is there when the bucket was made with it', async () => {
    if (client.supports('objectLock') === 'no') return;
    expect(await client.read(bucket, 'objectLock')).toBeUndefined();
    const locked = bucketName('locked');
    await client.create(locked, { objectLock: true });
    expect(await client.read(locked, 'objectLock')).toEqual({ enabled: true });
    const wanted = { enabled: true, retention: { mode: 'compliance', days: 3 } } as const;
    await client.write(locked, 'objectLock', wanted);
    expect(await client.read(locked, 'objectLock')).toEqual(wanted);
    await client.remove(locked);
  });

  test('a bucket that is not there is told apart from one without the configuration', async () => {
    await expect(client.read(bucketName('absent'), 'lifecycle')).rejects.toMatchObject({
      code: client.supports('lifecycle') === 'no' ? 'not-implemented' : 'no-such-bucket',
    });
    await expect(client.location(bucketName('absent'))).rejects.toMatchObject({ code: 'no-such-bucket' });
  });

  test('twenty readings in a row stand connections that the server breaks', async () => {
    if (client.supports('publicAccessBlock') === 'no') return;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => client.read(bucket, index % 2 === 0 ? 'publicAccessBlock' : 'cors')),
    );
    expect(answers).toHaveLength(20);
  });
});

describe('answers that are not what was asked', () => {
  const servers: { close(done: () => void): unknown }[] = [];
  afterAll(() => Promise.all(servers.map((server) => new Promise<void>((done) => server.close(done)))));

  /** What Hetzner, Ceph and proxies were seen to answer, repeated by a loopback server. */
  async function answering(
    answer: (request: IncomingMessage) => { status: number; type?: string; body: string },
    profile = 'ceph',
  ) {
    const seen: string[] = [];
    const server: Server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const { status, type = 'application/xml', body } = answer(request);
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    servers.push(server);
    const client = createBucketClient(
      connectionTo(endpointOf(await listen(server), 'r', 'AKIDEXAMPLE', 'secret-1'), profile),
      {
        attempts: 2,
      },
    );
    return { client, seen };
  }

  function listen(server: {
    listen(port: number, host: string, done: () => void): unknown;
    address(): AddressInfo | string | null;
  }) {
    return new Promise<string>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
      });
    });
  }

  async function codeOf(promise: Promise<unknown>): Promise<string> {
    const error: unknown = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ClientError)) throw new Error(`expected a ClientError, got ${String(error)}`);
    return error.code;
  }

  test('a listing with 200 is no lifecycle configuration', async () => {
    const { client } = await answering(() => ({
      status: 200,
      body: '<ListBucketResult><Name>b</Name></ListBucketResult>',
    }));
    expect(await codeOf(client.read('b', 'lifecycle'))).toBe('protocol');
    expect(await codeOf(client.read('b', 'policy'))).toBe('protocol');
    client.close();
  });

  test.each([
    [429, 'throttled'],
    [501, 'not-implemented'],
    [503, 'throttled'],
  ])('%i as HTML is %s', async (status, code) => {
    const { client, seen } = await answering(() => ({
      status,
      type: 'text/html',
      body: '<html><body><h1>no</h1></body></html>',
    }));
    expect(await codeOf(client.read('b', 'cors'))).toBe(code);
    expect(seen).toHaveLength(code === 'throttled' ? 2 : 1);
    client.close();
  });

  test('an unknown provider gets no DELETE before it has shown that it knows the subresource', async () => {
    const { client, seen } = await answering(() => ({ status: 200, body: '<ListBucketResult/>' }), 'generic');
    expect(await codeOf(client.clear('b', 'encryption'))).toBe('protocol');
    expect(await codeOf(client.write('b', 'tags', { a: 'b' }))).toBe('protocol');
    expect(seen).toEqual(['GET /b?encryption=', 'GET /b?tagging=']);
    client.close();
  });

  test('an error that comes twice is read once, and a broken connection is tried on a fresh one', async () => {
    const error = '<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>';
    const { client } = await answering(() => ({ status: 404, body: error + error }));
    expect(await client.read('b', 'publicAccessBlock')).toBeUndefined();
    client.close();

    let connections = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      const broken = connections === 1;
      socket.on('error', () => undefined);
      socket.once('data', () => {
        const body = '<VersioningConfiguration/>';
        socket.end(
          broken
            ? '<Error>leftover'
            : `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
      });
    });
    servers.push(server);
    const second = createBucketClient(
      connectionTo(endpointOf(await listen(server), 'r', 'AKIDEXAMPLE', 'secret-1'), 'ceph'),
    );
    expect(await second.read('b', 'versioning')).toBe('off');
    expect(connections).toBe(2);
    second.close();
  });
});
