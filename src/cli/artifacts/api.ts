import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ApiClient, Identity } from '../../control/index.ts';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import { signingKey } from './keys.ts';

export interface ApiOptionsOfCli {
  readonly api?: string;
  readonly tokenFile?: string;
  readonly id?: string;
  readonly key?: string;
}

/** Adds what a machine without S3 keys needs to ask the HTTP API. */
export const withApi = (command: Command): Command =>
  command
    .option('--api <url>', 'ask this `artifact serve` and not S3: no S3 keys are needed')
    .option('--token-file <file>', 'with --api: a file that holds the token')
    .option('--id <id>', 'with --api and --key: whose key it is')
    .option('--key <file>', 'with --api: sign requests with this Ed25519 key (PEM) instead of sending a token');

/** @throws UsageError */
export async function apiClientOf(options: ApiOptionsOfCli & { readonly api: string }): Promise<ApiClient> {
  const { createApiClient } = await import('../../control/index.ts');
  return createApiClient(options.api, await identityOf(options));
}

async function identityOf({ tokenFile, id, key }: ApiOptionsOfCli): Promise<Identity> {
  if (tokenFile !== undefined && key !== undefined) {
    throw new UsageError('--token-file and --key exclude each other', { advice: 'a node has one of them' });
  }
  if (key !== undefined) {
    if (id === undefined)
      throw new UsageError('--key needs --id', { advice: 'the id of the entry in the file of tokens' });
    return { kind: 'key', id, key: await signingKey(key) };
  }
  return tokenFile === undefined ? { kind: 'none' } : { kind: 'token', token: new Secret(readToken(tokenFile)) };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown';
    throw new UsageError(`${path} cannot be read (${code})`, {
      subject: path,
      advice: 'check --token-file',
      cause: error,
    });
  }
}
