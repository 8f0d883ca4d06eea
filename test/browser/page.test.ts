import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { presign } from '../../src/sigv4/index.ts';
import { answered, LeanClient } from '../fault/lean-client.ts';
import { notInstalled, program } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { signedForm } from '../support/signed-form.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const chromium = program('chromium');
const CONTENT = 'content of a page: ä';
const KEY = 'a b+c ä&=?#%.txt';

/** A page of an origin of its own, and what it reports. */
async function servePage(plan: object) {
  const html = await readFile(join(import.meta.dirname, 'page.html'));
  let report: (text: string) => void;
  const seen = new Promise<string>((resolve) => {
    report = resolve;
  });
  const server = createServer((req, res) => {
    if (req.url === '/plan') res.end(JSON.stringify(plan));
    else if (req.url === '/seen')
      bodyOf(req)
        .then(report, report)
        .finally(() => res.end());
    else res.setHeader('content-type', 'text/html').end(req.url === '/' ? html : 'done');
  });
  return { server, seen };
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  return text;
}

skipUnless(chromium !== undefined, notInstalled('chromium'))('Chromium', () => {
  it('lets a page of another origin do what the CORS rules say, and nothing else', { timeout: 120_000 }, async () => {
    await using server = await startServer();
    await using profile = await temporaryDirectory('chromium');
    const client = new LeanClient(server, 2);
    for (const bucket of ['/open', '/closed']) await answered(client.send('PUT', bucket), 200);
    await answered(client.send('PUT', '/closed/key', Buffer.from('closed')), 200);
    const plan: Record<string, unknown> = {};
    const page = await servePage(plan);
    page.server.listen(0, '127.0.0.1');
    await once(page.server, 'listening');
    const address = page.server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const rules = `<CORSConfiguration><CORSRule><AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod><AllowedHeader>content-type</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>`;
    await answered(client.send('PUT', '/open?cors=', Buffer.from(rules)), 200);

    const { region, accessKeyId, secretAccessKey, host, port, url } = server;
    const signer = { accessKeyId, secret: new Secret(secretAccessKey), region, now: Date.now() };
    const signed = (method: string, rawPath: string) =>
      `${url}${rawPath}?${presign({ method, rawPath, rawQuery: '', headers: { host: `${host}:${port}` } }, 60, signer)}`;
    const target = `/open/${encodeURIComponent(KEY)}`;
    const form = (fields: Record<string, string>) =>
      signedForm({ region, accessKeyId, secretAccessKey }, 'open', fields);
    Object.assign(plan, {
      put: signed('PUT', target),
      get: signed('GET', target),
      remove: signed('DELETE', target),
      closed: signed('GET', '/closed/key'),
      action: `${url}/open`,
      form: form({ key: ['posted/', '{filename}'].join('$'), 'Content-Type': 'text/plain' }),
      redirecting: form({ key: 'submitted', success_action_redirect: `${origin}/uploaded` }),
    });

    const browser = spawn(
      chromium ?? '',
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-background-networking',
        '--disable-component-update',
        '--no-first-run',
        `--user-data-dir=${profile.path}`,
        origin,
      ],
      { stdio: 'ignore' },
    );
    const exited = once(browser, 'exit');
    try {
      const gone = exited.then(() => Promise.reject(new Error('the browser ended before its page did')));
      const seen: unknown = JSON.parse(await Promise.race([page.seen, gone]));
      const etag = `"${createHash('md5').update(CONTENT).digest('hex')}"`;
      expect(seen).toEqual({
        put: { status: 200, etag, id: null },
        get: { type: 'text/x-page', text: CONTENT },
        range: { status: 206, text: 'content' },
        remove: 'TypeError',
        closed: 'TypeError',
        post: 204,
        submit: { bucket: 'open', key: 'submitted', etag },
      });
    } finally {
      browser.kill('SIGKILL');
      await exited;
      page.server.close();
      page.server.closeAllConnections();
    }
    for (const key of [KEY, 'posted/page ä.txt', 'submitted']) {
      const got = await answered(client.send('GET', `/open/${key.split('/').map(encodeURIComponent).join('/')}`), 200);
      expect(got.body.toString(), key).toBe(CONTENT);
    }
    client.close();
  });
});
