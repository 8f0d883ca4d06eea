import { describe } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { type Connection, providerNamed } from '../../src/providers/index.ts';
import { parseEndpoint } from '../../src/settings/index.ts';
import type { DisposableEndpoint, S3Endpoint } from '../support/endpoint.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { startServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';

export interface Target {
  readonly name: 'embedded' | 'ceph';
  start(): Promise<DisposableEndpoint>;
}

const targets: readonly Target[] = [
  { name: 'embedded', start: startServer },
  { name: 'ceph', start: startRgw },
];

/** The same suite against the embedded server and a real Ceph RADOS Gateway. */
export function onEach(what: string, body: (target: Target) => void): void {
  for (const target of targets) {
    const missing = target.name === 'ceph' ? rgwMissing() : undefined;
    const suite = missing === undefined ? describe : skipUnless(false, missing);
    suite(`${what}, ${target.name}`, () => body(target));
  }
}

/** A connection as the settings would make it, with the profile that is named. */
export function connectionTo(endpoint: S3Endpoint, profile: string): Connection {
  const parsed = parseEndpoint(endpoint.url);
  const provider = providerNamed(profile);
  if (!parsed.ok || provider === undefined) throw new Error(`${endpoint.url} ${profile}`);
  return {
    endpoint: parsed.value,
    credentials: {
      accessKeyId: new Secret(endpoint.accessKeyId),
      secretAccessKey: new Secret(endpoint.secretAccessKey),
    },
    region: endpoint.region,
    forcePathStyle: true,
    checksums: provider.checksums,
    provider,
  };
}
