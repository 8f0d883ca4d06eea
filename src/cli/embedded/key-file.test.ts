import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostError } from '../../core/errors.ts';
import { parseSettings } from '../../settings/index.ts';
import { keyFilePath, keysOf, refreshKeyFile } from './key-file.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'keys-'));
});
afterEach(() => rm(data, { recursive: true }));

const { buckets } = parseSettings({ environment: {} });
const facts = { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', buckets };

test('starters at the same moment get the same keys, and the file is private', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => keysOf(join(data, 'new/deep'), facts)));
  expect(new Set(all.map(({ secretAccessKey }) => secretAccessKey.reveal())).size).toBe(1);
  expect((await stat(keyFilePath(join(data, 'new/deep')))).mode & 0o777).toBe(0o600);
});

test('a new address changes its line and keeps the keys', async () => {
  const keys = await keysOf(data, facts);
  await refreshKeyFile(data, keys, { ...facts, endpoint: 'http://127.0.0.1:1234' });
  expect(await readFile(keyFilePath(data), 'utf8')).toContain('S3_ENDPOINT=http://127.0.0.1:1234\n');
  expect((await keysOf(data, facts)).secretAccessKey.reveal()).toBe(keys.secretAccessKey.reveal());
});

test('what it says is a well-formed configuration of ours', async () => {
  await keysOf(data, facts);
  const lines = (await readFile(keyFilePath(data), 'utf8')).split('\n').filter((line) => /^[A-Z]/.test(line));
  const environment = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  expect(parseSettings({ environment }).storage).toMatchObject({ kind: 's3', provider: 'embedded', insecure: true });
});

test('a file without keys is an error, never replaced', async () => {
  await writeFile(keyFilePath(data), 'S3_ENDPOINT=x\n');
  await expect(keysOf(data, facts)).rejects.toThrow(HostError);
  expect(await readFile(keyFilePath(data), 'utf8')).toBe('S3_ENDPOINT=x\n');
});
