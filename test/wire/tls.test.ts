import { execFileSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Listener, listen } from '../../src/server/listener.ts';
import { readTls } from '../../src/server/tls.ts';
import { program } from '../support/programs.ts';
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
  const shown = (options: { readonly maxVersion?: 'TLSv1.1' } = {}) =>
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

  it('refuses to start with files that do not belong together or are not there', async () => {
    const [one, other] = [make('one'), make('other')];
    await expect(readTls({ certificate: one.certificate, key: other.key })).rejects.toMatchObject({ code: 'host' });
    await expect(readTls({ ...one, key: '/nowhere' })).rejects.toMatchObject({ code: 'host', subject: '/nowhere' });
  });
});
