import { aws } from './aws.ts';
import { b2 } from './b2.ts';
import { ceph } from './ceph.ts';
import { embedded } from './embedded.ts';
import { garage } from './garage.ts';
import { generic } from './generic.ts';
import { hetzner } from './hetzner.ts';
import { minio } from './minio.ts';
import { ovh } from './ovh.ts';
import type { ProviderProfile } from './profile.ts';
import { r2 } from './r2.ts';
import { rustfs } from './rustfs.ts';
import { scaleway } from './scaleway.ts';
import { seaweedfs } from './seaweedfs.ts';
import { wasabi } from './wasabi.ts';

/** Every profile we know; a new provider is one file and one line here. The first whose hosts match is taken. */
export const providers: readonly ProviderProfile[] = [
  embedded,
  hetzner,
  aws,
  r2,
  b2,
  wasabi,
  scaleway,
  ovh,
  minio,
  garage,
  seaweedfs,
  rustfs,
  ceph,
  generic,
];

/** The profile that an endpoint's host name tells; `generic` when it tells none. */
export function detect(endpoint: { readonly host: string }): ProviderProfile {
  return providers.find(({ hosts }) => hosts.some((pattern) => pattern.test(endpoint.host))) ?? generic;
}

export function providerNamed(name: string): ProviderProfile | undefined {
  return providers.find((profile) => profile.name === name);
}
