import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { systemErrorCode, UsageError } from '../../core/errors.ts';

export interface TrustOptions {
  readonly trust: readonly string[];
}

/** Adds `--trust`, the policy of whoever uses artifacts. */
export const withTrust = (command: Command): Command =>
  command.option('--trust <file...>', 'refuse what none of these Ed25519 public keys (PEM) has signed', []);

/** @throws UsageError, ArtifactError `signature` */
export async function trustedKeys({ trust }: TrustOptions): Promise<readonly KeyObject[]> {
  return Promise.all(trust.map(publicKeyIn));
}

/** @throws UsageError, ArtifactError `signature` */
export async function publicKeyIn(path: string): Promise<KeyObject> {
  const { publicKeyOf } = await import('../../artifacts/envelope.ts');
  return publicKeyOf(readText(path), path);
}

/** @throws UsageError, ArtifactError `signature` */
export async function signingKey(path: string): Promise<KeyObject> {
  const { privateKeyOf } = await import('../../artifacts/envelope.ts');
  return privateKeyOf(readText(path), path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown';
    throw new UsageError(`${path} cannot be read (${code})`, { subject: path, advice: 'check the path', cause: error });
  }
}
