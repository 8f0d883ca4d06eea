import { execFileSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { startServer } from '../../src/server/index.ts';
import { DEFAULT_LIMITS, type Listener, listen } from '../../src/server/listener.ts';
import { readTls } from '../../src/server/tls.ts';
import { freePorts } from '../support/ports.ts';
import { program } from '../support/programs.ts';
import { startServer as spawnServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const openssl = program('openssl');

skipUnless(openssl !== undefined, 'openssl is not installed; it makes the certificates')('TLS', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let listener: Listener;
  let files: { readonly certificate: string; readonly key: string };

  const make = (name: string) => {
    const [certificate, key] = [join(directory.path, `${name}.pem`), join(directory.path, `${name}.key`)];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync(openssl ?? '', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    });
    return { certificate, key };
  };
  const use = async (from: { readonly certificate: string; readonly key: string }) => {
    await copyFile(from.key, files.key);
    await copyFile(from.certificate, files.certificate);
  };
  /** The subject of the certificate that a new connection is shown. */
  const shown = (options: { readonly maxVersion?: 'TLSv1.1'; readonly port?: number } = {}) =>
    new Promise<string>((resolve, reject) => {
      const at = { host: '127.0.0.1', port: listener.address.port, rejectUnauthorized: false };
      const socket = connect({ ...at, ...options }, () => {
        const { subject } = socket.getPeerCertificate();
        socket.destroy();
        resolve(String(subject.CN));
      });
      socket.on('error', reject);
    });
  const get = (ca: Buffer) =>
    new Promise<string>((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port: listener.address.port, ca, agent: false }, (res) => {
        let text = '';
        res.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        res.on('end', () => resolve(text));
      });
      req.on('error', reject);
      req.end();
    });

  beforeAll(async () => {
    directory = await temporaryDirectory('tls');
    files = { certificate: join(directory.path, 'live.pem'), key: join(directory.path, 'live.key') };
    await use(make('first'));
    const handler = (_: unknown, res: { end(text: string): unknown }) => void res.end('hello');
    listener = await listen({ host: '127.0.0.1', port: 0 }, handler, DEFAULT_LIMITS, { ...files, lookMs: 50 });
  });
  afterAll(async () => {
    await listener.drain(0);
    await directory.remove();
  });

  it('serves https with the certificate, to clients that trust it', async () => {
    expect(listener.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(await readFile(files.certificate))).toBe('hello');
    await expect(get(await readFile(make('stranger').certificate))).rejects.toThrow(/certificate/);
    expect(await shown()).toBe('first');
    await expect(shown({ maxVersion: 'TLSv1.1' })).rejects.toThrow();
  });

  it('takes a renewed certificate without a restart, and keeps the old one while the files do not fit', async () => {
    const second = make('second');
    await copyFile(second.certificate, files.certificate);
    await sleep(300);
    expect(await shown()).toBe('first');
    await copyFile(second.key, files.key);
    await expect.poll(shown, { timeout: 10_000 }).toBe('second');
    await writeFile(files.certificate, 'torn');
    await sleep(300);
    expect(await shown()).toBe('second');
    await use(make('third'));
    await expect.poll(shown, { timeout: 10_000 }).toBe('third');
  });

  it('takes it in every one of several processes', { timeout: 60_000 }, async () => {
    await using data = await temporaryDirectory('tls-processes');
    const live = { certificate: join(directory.path, 'many.pem'), key: join(directory.path, 'many.key') };
    const put = async (from: { readonly certificate: string; readonly key: string }) => {
      await copyFile(from.key, live.key);
      await copyFile(from.certificate, live.certificate);
    };
    await put(make('before'));
    const settings = { BUCKETWRIGHT_TLS_CERT: live.certificate, BUCKETWRIGHT_TLS_KEY: live.key };
    await using server = await spawnServer({ data: data.path, env: settings, args: ['--processes', '2'] });
    /** Connections go to the processes in turn. */
    const allShown = async () => {
      const subjects = new Set<string>();
      for (let connection = 0; connection < 8; connection += 1) subjects.add(await shown({ port: server.port }));
      return [...subjects];
    };
    expect(await allShown()).toEqual(['before']);
    await put(make('after'));
    await expect.poll(allShown, { timeout: 20_000 }).toEqual(['after']);
    expect((await server.stop()).code).toBe(0);
  });

  it('serves S3, and tells policies that it is TLS and which', async () => {
    await using data = await temporaryDirectory('tls-data');
    const [port = 0, adminPort = 0] = await freePorts(2);
    const pair = make('s3');
    const ca = await readFile(pair.certificate);
    const keys = { accessKeyId: 'TLSTLSTLSTLSTLSTLSTL', secretAccessKey: 'over-tls-over-tls' };
    const server = await startServer({
      listen: { host: '127.0.0.1', port },
      adminListen: { host: '127.0.0.1', port: adminPort },
      data: data.path,
      region: 'us-east-1',
      buckets: ['secure'],
      rootCredentials: { ...keys, secretAccessKey: new Secret(keys.secretAccessKey) },
      tls: pair,
    });
    const client = new S3Client({
      endpoint: server.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: keys,
      requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca }) }),
    });
    /** The status for somebody who has signed nothing, while everybody may read under this condition. */
    const allowed = async (Condition: object) => {
      const Statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::secure/*' };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: { ...Statement, Condition } });
      await client.send(new PutBucketPolicyCommand({ Bucket: 'secure', Policy }));
      return new Promise<number | undefined>((resolve, reject) => {
        const req = request({ host: '127.0.0.1', port, path: '/secure/key', ca, agent: false }, (res) => {
          res.resume();
          resolve(res.statusCode);
        });
        req.on('error', reject);
        req.end();
      });
    };
    try {
      await client.send(new PutObjectCommand({ Bucket: 'secure', Key: 'key', Body: 'over TLS' }));
      expect(await allowed({ Bool: { 'aws:SecureTransport': true } })).toBe(200);
      expect(await allowed({ Bool: { 'aws:SecureTransport': false } })).toBe(403);
      expect(await allowed({ NumericGreaterThanEquals: { 's3:TlsVersion': 1.2 } })).toBe(200);
      expect(await allowed({ NumericLessThan: { 's3:TlsVersion': 1.2 } })).toBe(403);
    } finally {
      client.destroy();
      await server.close();
    }
  });

  it('refuses to start with files that do not belong together or are not there', async () => {
    const [one, other] = [make('one'), make('other')];
    await expect(readTls({ certificate: one.certificate, key: other.key })).rejects.toMatchObject({ code: 'host' });
    await expect(readTls({ ...one, key: '/nowhere' })).rejects.toMatchObject({ code: 'host', subject: '/nowhere' });
  });
});
