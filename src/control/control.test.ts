import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../core/logger.ts';
import { createArtifactApi } from './api.ts';
import { openApiDocument, routes } from './openapi.ts';
import { RateLimit } from './rate-limit.ts';
import { findToken, newToken, parseTokens, reaches } from './tokens.ts';

test('a token is found by itself only, and its file does not hold it', () => {
  const made = [newToken({ id: 'a', names: ['*'] }), newToken({ id: 'b', names: ['x/*'] })];
  const text = JSON.stringify({ tokens: made.map(({ entry }) => entry) });
  const tokens = parseTokens(text, 'file');
  for (const { token, entry } of made) {
    expect(text).not.toContain(token.reveal());
    expect(findToken(tokens, `Bearer ${token.reveal()}`)?.id).toBe(entry.id);
    expect(findToken(tokens, `Bearer ${token.reveal()}x`)).toBeUndefined();
    expect(findToken(tokens, `Bearer ${entry.sha256}`)).toBeUndefined();
  }
  expect(findToken(tokens, undefined)).toBeUndefined();
});

test('a file of tokens is read whole or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(() => parseTokens(text, 'file')).toThrow(/is not a file of tokens/);
    }),
  );
});

test.each([
  [['*'], 'a/b', true],
  [['a/*'], 'a/b/c', true],
  [['a/*'], 'a', false],
  [['a/*'], 'ab/c', false],
  [['a'], 'a/b', false],
  [['b', 'a/b'], 'a/b', true],
])('%j reaches %s: %s', (names, name, reached) => {
  expect(reaches(names, name)).toBe(reached);
});

test('a caller gets its rate on average, and says when to come again', () => {
  let now = 0;
  const limit = new RateLimit(10, { now: () => now });
  const passed = () => Array.from({ length: 100 }, () => limit.take('a')).filter((wait) => wait === 0).length;
  expect(passed()).toBe(20);
  expect(limit.take('b')).toBe(0);
  expect(limit.take('a')).toBe(1);
  now += 1000;
  expect(passed()).toBe(10);
});

test('the OpenAPI document has every route, and no reference that leads nowhere', () => {
  const document = openApiDocument();
  const text = JSON.stringify(document);
  for (const { path, id, method } of Object.values(routes)) {
    expect(document).toHaveProperty(['paths', path, method, 'operationId'], id);
  }
  const schemas = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name));
  expect(schemas.size).toBeGreaterThan(4);
  for (const name of schemas) expect(document).toHaveProperty(['components', 'schemas', name ?? '']);
});

test('a token that asks too often is told when to come again, and others are not hindered', async () => {
  const [eager, other] = [newToken({ id: 'eager', names: ['*'] }), newToken({ id: 'other', names: ['*'] })];
  const api = createArtifactApi({
    store: () => {
      throw new Error('nothing here gets as far as the store');
    },
    tokens: () => [eager.entry, other.entry],
    rate: 10,
    writes: false,
    clock: { now: () => 0 },
    log: silentLogger,
  });
  const ask = async (token: string) => {
    const answer = await api.app.request('/v1/versions', { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, after: answer.headers.get('retry-after') };
  };
  // Admitted, and then refused for the name that is missing.
  for (let count = 0; count < 20; count += 1) expect((await ask(eager.token.reveal())).status).toBe(400);
  expect(await ask(eager.token.reveal())).toEqual({ status: 429, after: '1' });
  expect((await ask(other.token.reveal())).status).toBe(400);
  expect((await ask('guess')).status).toBe(401);
  expect((await ask('guess')).status).toBe(401);
  expect((await ask('guess')).status).toBe(429);
});
