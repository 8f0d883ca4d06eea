import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Finding } from '../core/finding.ts';
import type { Secret } from '../core/secret.ts';

const MAX_FILES = 2_000;
const MAX_BYTES = 512 * 1024;
const MAX_DEPTH = 4;

/** Read by programs as configuration. */
const configuration = /\.(?:ya?ml|json|toml|conf|cfg|ini|env|tf|tfvars|sh)$|^\.env|^Dockerfile|^Makefile$/i;
const passedOver = new Set(['node_modules', '.git', 'dist', 'coverage', '.cache']);
/** Of files that exist to hold secrets only their mode counts. */
const secretFile = /\.env$|^\.env|^s3cfg$|^\.s3cfg$|^credentials$/i;

const assignment =
  /(?:secret[_-]?access[_-]?key|secret[_-]?key|MINIO_ROOT_PASSWORD|RUSTFS_SECRET_KEY|aws_secret)["']?\s*[:=]\s*["']?([^\s"',#]+)/i;
const inUrl = /\bhttps?:\/\/[^\s/:@"'$]+:([^\s/@"'$]+)@/i;
/** References, paths of secret files, and words that stand for a value. */
const noValue =
  /^(?:[$<{%*[(]|!|\/|\.\/|file:|env:|null$|true$|false$|~$)|^(?:x+|\.+|…|redacted|changeme-.*|your[-_].*)$|\$\{/i;

/**
 * Secrets written into configuration files, which are copied, mailed and committed. Looks at files up to 512 KiB, four
 * folders deep; never says a value.
 * @param secret the one in use, found wherever it is; undefined: none
 */
export async function checkInline(paths: readonly string[], secret: Secret | undefined): Promise<readonly Finding[]> {
  const files: string[] = [];
  for (const path of paths) await collect(path, 0, files);
  const findings: Finding[] = [];
  for (const file of files) findings.push(...(await inFile(file, secret?.reveal())));
  if (findings.length > 0) return findings;
  const subject = paths.join(', ');
  const more = files.length >= MAX_FILES ? `; looking stopped there` : '';
  return [{ id: 'inline-secret', subject, status: 'ok', found: `none in ${files.length} configuration files${more}` }];
}

async function collect(path: string, depth: number, files: string[]): Promise<void> {
  if (files.length >= MAX_FILES) return;
  const entry = await lstat(path).catch(() => undefined);
  if (entry === undefined) return;
  if (entry.isFile()) {
    if (entry.size <= MAX_BYTES && (depth === 0 || configuration.test(basename(path)))) files.push(path);
    return;
  }
  if (!entry.isDirectory() || depth > MAX_DEPTH) return;
  const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!passedOver.has(name)) await collect(join(path, name), depth + 1, files);
  }
}

async function inFile(path: string, secret: string | undefined): Promise<readonly Finding[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const { mode } = await stat(path).catch(() => ({ mode: 0 }));
  const findings: Finding[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const what = inLine(line, secret);
    if (what === undefined) continue;
    if (secretFile.test(basename(path)) && (mode & 0o077) === 0) continue;
    findings.push({
      id: 'inline-secret',
      subject: `${path}:${index + 1}`,
      status: 'fail',
      found: what,
      expected: 'a reference, or a file of mode 0600 that holds nothing else',
      why: 'configuration is copied, mailed and committed, and the key with it',
      advice: secretFile.test(basename(path))
        ? `chmod 600 ${path}`
        : 'name a file by S3_SECRET_ACCESS_KEY_FILE (secretAccessKeyFile in bucketwright.yaml), and change the key',
    });
  }
  return findings;
}

/** What is wrong with one line; undefined: nothing. */
export function inLine(line: string, secret: string | undefined): string | undefined {
  if (secret !== undefined && secret.length >= 8 && line.includes(secret)) return 'holds the secret key in use';
  const assigned = assignment.exec(line)?.[1];
  if (assigned !== undefined && assigned.length >= 8 && !noValue.test(assigned)) return 'a secret key is written out';
  const password = inUrl.exec(line)?.[1];
  return password !== undefined && !noValue.test(password) ? 'a password is written into a URL' : undefined;
}
