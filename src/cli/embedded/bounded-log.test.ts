import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundedLog } from './bounded-log.ts';

let directory: string;
let path: string;
let descriptor: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'));
  path = join(directory, 'server.log');
  writeFileSync(path, 'of the start before\n');
  descriptor = openSync(path, 'a', 0o600);
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

test('goes on behind what is there, and keeps all of it below the limit', () => {
  const log = boundedLog(path, descriptor, 1000);
  log.write('next\n');
  expect(readFileSync(path, 'utf8')).toBe('of the start before\nnext\n');
  expect(existsSync(`${path}.1`)).toBe(false);
});

test('starts anew at the limit, keeps the one before, and loses no line between the two', () => {
  const log = boundedLog(path, descriptor, 1000);
  for (let number = 0; number < 100; number += 1) {
    log.write(`${JSON.stringify({ number })}\n`);
    expect(statSync(path).size).toBeLessThanOrEqual(1000);
  }
  const [before, now] = [`${path}.1`, path].map((file) => readFileSync(file, 'utf8'));
  const last = `${before}${now}`.trim().split('\n').slice(-60);
  expect(last).toEqual(Array.from({ length: 60 }, (_, index) => JSON.stringify({ number: index + 40 })));
});

test('a full disk is no reason to throw', () => {
  const full = openSync('/dev/full', 'a');
  try {
    expect(() => boundedLog(path, full, 1000).write('lost\n')).not.toThrow();
  } finally {
    closeSync(full);
  }
});

test('a line longer than the limit is written whole', () => {
  const line = `${'x'.repeat(2000)}\n`;
  boundedLog(path, descriptor, 1000).write(line);
  expect(readFileSync(path, 'utf8')).toBe(line);
});
