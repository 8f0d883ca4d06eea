import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

const RULES = `<CORSConfiguration>
  <CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>
  <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>
</CORSConfiguration>`;
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

describe('CORS', () => {
  let service: WireService;
  beforeAll(async () => {
    service = await startService();
    await service.ask('PUT', '/open');
    await service.ask('PUT', '/closed');
    await service.ask('PUT', '/open/key', { body: 'content' });
    expect((await service.ask('PUT', '/open?cors', { body: RULES })).status).toBe(200);
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const ask = (method: string, target: string, headers: Record<string, string>, as?: 'anonymous') =>
    service.ask(method, target, { headers, ...(as === undefined ? {} : { as }) });

  it('answers the configuration, or that there is none', async () => {
    const { status, text } = await service.ask('GET', '/open?cors');
    expect(status).toBe(200);
    expect(text).toContain('<AllowedOrigin>https://*.example.com</AllowedOrigin>');
    expect((await service.ask('GET', '/closed?cors')).code).toBe('NoSuchCORSConfiguration');
  });

  it('answers a preflight without a signature, with what the rule allows', async () => {
    const { status, headers } = await ask(
      'OPTIONS',
      '/open/key?X-Amz-Signature=of-another-method&partNumber=1',
      {
        origin: 'https://a.example.com',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'Content-Type, X-Amz-Date',
      },
      'anonymous',
    );
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example.com',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type, x-amz-date',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '60',
      'access-control-allow-credentials': 'true',
      vary: VARY,
    });
  });

  it.each([
    ['another origin', '/open/key', { origin: 'https://evil.com', 'access-control-request-method': 'PUT' }, 403],
    [
      'another method',
      '/open/key',
      { origin: 'https://a.example.com', 'access-control-request-method': 'DELETE' },
      403,
    ],
    [
      'no configuration',
      '/closed/key',
      { origin: 'https://a.example.com', 'access-control-request-method': 'PUT' },
      403,
    ],
    ['no bucket', '/missing/key', { origin: 'https://a.example.com', 'access-control-request-method': 'PUT' }, 404],
    ['no origin', '/open/key', { 'access-control-request-method': 'PUT' }, 400],
    ['no method', '/open/key', { origin: 'https://a.example.com' }, 400],
  ])('refuses a preflight with %s', async (_, target, headers, status) => {
    const answer = await ask('OPTIONS', target, headers, 'anonymous');
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('says on answers who may read them, and tells caches that it depends', async () => {
    const allowed = await ask('GET', '/open/key', { origin: 'https://a.example.com' });
    expect(allowed.text).toBe('content');
    expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': 'https://a.example.com', vary: VARY });
    const other = await ask('GET', '/open/key', { origin: 'https://evil.com' });
    expect(other.status).toBe(200);
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
    expect(other.headers.vary).toBe(VARY);
    const any = await ask('HEAD', '/open/key', { origin: 'https://evil.com' });
    expect(any.headers['access-control-allow-origin']).toBe('*');
    expect(any.headers['access-control-allow-credentials']).toBeUndefined();
    expect((await ask('GET', '/open/key', {})).headers.vary).toBeUndefined();
  });

  it('says it on errors by the same rules, and nothing for a bucket without any', async () => {
    const missing = await ask('GET', '/open/missing', { origin: 'https://a.example.com' });
    expect([missing.status, missing.headers['access-control-allow-origin']]).toEqual([404, 'https://a.example.com']);
    const refused = await ask('GET', '/open/key', { origin: 'https://evil.com' }, 'anonymous');
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    const closed = await ask('GET', '/closed/missing', { origin: 'https://a.example.com' });
    expect([closed.status, closed.headers['access-control-allow-origin']]).toEqual([404, undefined]);
  });

  it('forgets the configuration when it is deleted', async () => {
    await service.ask('PUT', '/closed?cors', { body: RULES });
    await service.ask('DELETE', '/closed?cors');
    expect((await service.ask('GET', '/closed?cors')).code).toBe('NoSuchCORSConfiguration');
  });
});
