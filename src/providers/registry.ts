import { aws } from './aws.ts';
import { ceph } from './ceph.ts';
import { embedded } from './embedded.ts';
import { generic } from './generic.ts';
import { hetzner } from './hetzner.ts';
import { minio } from './minio.ts';
import type { ProviderProfile } from './profile.ts';

/** Every profile we know; a new provider is one file and one line here. The first whose hosts match is taken. */
export const providers: readonly ProviderProfile[] = [embedded, hetzner, aws, minio, ceph, generic];

/** The profile that an endpoint's host name tells; `generic` when it tells none. */
export function detect(endpoint: { readonly host: string }): ProviderProfile {
  return providers.find(({ hosts }) => hosts.some((pattern) => pattern.test(endpoint.host))) ?? generic;
}

export function providerNamed(name: string): ProviderProfile | undefined {
  return providers.find((profile) => profile.name === name);
}
