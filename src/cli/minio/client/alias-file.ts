import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { HostError, systemErrorCode, UsageError } from '../../../core/errors.ts';
import { Secret } from '../../../core/secret.ts';
import { writeFileDurably } from '../../../fs/durable.ts';
import { type Credentials, type Endpoint, isPrivateHost, parseEndpoint } from '../../../settings/index.ts';
import type { Environment } from '../environment.ts';

/** A server that `mc` knows by a short name. */
export interface Alias {
  readonly endpoint: Endpoint;
  /** Undefined: only its health may be asked. */
  readonly credentials: Credentials | undefined;
}

/** MinIO's client keeps its aliases so, version 10; we read and write no more than we need of it. */
const fileSchema = z.looseObject({
  version: z.literal('10'),
  aliases: z.record(
    z.string(),
    z.looseObject({ url: z.string(), accessKey: z.string().optional(), secretKey: z.string().optional() }),
  ),
});
type AliasFile = z.output<typeof fileSchema>;

/** Where the aliases are: `--config-dir`, MC_CONFIG_DIR, else `~/.mc`. */
export function configDirectory(named: string | undefined, environment: Environment): string {
  return named || environment.MC_CONFIG_DIR || join(environment.HOME || homedir(), '.mc');
}

/**
 * The aliases of a file and of `MC_HOST_<alias>=https://KEY:SECRET@HOST`, which come first.
 * @throws HostError, UsageError
 */
export async function findAlias(directory: string, name: string, environment: Environment): Promise<Alias> {
  const variable = environment[`MC_HOST_${name}`];
  if (variable !== undefined && variable !== '') return ofVariable(`MC_HOST_${name}`, variable);
  const entry = (await readAliases(directory)).aliases[name];
  if (entry !== undefined) return newAlias(entry.url, entry.accessKey ?? '', entry.secretKey ?? '');
  // MinIO's client comes with this one.
  if (name === 'local') return newAlias('http://127.0.0.1:9000', '', '');
  throw new UsageError(`mc: there is no alias ${name}`, {
    subject: name,
    advice: `mc alias set ${name} http://HOST:9000 KEY SECRET, or MC_HOST_${name}=http://KEY:SECRET@HOST:9000`,
  });
}

/** @throws UsageError where the address or a key cannot be one */
export function newAlias(url: string, accessKey: string, secretKey: string): Alias {
  const endpoint = parseEndpoint(url);
  const wrong = endpoint.ok ? whatIsWrong(endpoint.value, accessKey, secretKey) : `the address ${endpoint.problem}`;
  if (!endpoint.ok || wrong !== undefined) {
    throw new UsageError(`mc: ${wrong}`, { subject: 'alias', advice: 'mc alias set NAME http://HOST:9000 KEY SECRET' });
  }
  const credentials =
    accessKey === '' ? undefined : { accessKeyId: new Secret(accessKey), secretAccessKey: new Secret(secretKey) };
  return { endpoint: endpoint.value, credentials };
}

function whatIsWrong(endpoint: Endpoint, accessKey: string, secretKey: string): string | undefined {
  if ((accessKey === '') !== (secretKey === '')) return 'an access key and a secret key belong together';
  if (endpoint.scheme === 'http' && !isPrivateHost(endpoint.host)) {
    return `http:// is refused towards ${endpoint.host}: only loopback, private-network addresses and single-label host names may be spoken to without TLS`;
  }
  return undefined;
}

function ofVariable(name: string, value: string): Alias {
  const match = /^(https?:\/\/)(?:([^:@/]+):([^@/]+)@)?(.+)$/.exec(value);
  if (match === null) {
    throw new UsageError(`mc: ${name} is no address`, { subject: name, advice: `${name}=http://KEY:SECRET@HOST:9000` });
  }
  const [, scheme = '', key = '', secret = '', host = ''] = match;
  return newAlias(`${scheme}${host}`, key, secret);
}

/** Every alias of the file, by name. */
export async function readAliases(directory: string): Promise<AliasFile> {
  const path = join(directory, 'config.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { version: '10', aliases: {} };
    throw unusable(path, `cannot be read (${systemErrorCode(error) ?? 'unknown'})`, error);
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    // The cause would quote the file, and its keys with it.
    throw unusable(path, "is not in the form of MinIO's client", undefined);
  }
}

export async function writeAliases(directory: string, file: AliasFile): Promise<void> {
  const path = join(directory, 'config.json');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFileDurably(path, `${JSON.stringify(file, undefined, 2)}\n`);
  } catch (error) {
    throw unusable(path, `cannot be written (${systemErrorCode(error) ?? 'unknown'})`, error);
  }
}

function unusable(path: string, problem: string, cause: unknown): HostError {
  return new HostError('host', `mc: ${path} ${problem}`, {
    subject: path,
    advice: 'name a directory of your own in MC_CONFIG_DIR, or put the alias into MC_HOST_<alias>',
    cause,
  });
}
