import type { ManifestTenant, Settings } from '../../settings/index.ts';
import { TenantError } from '../../tenants/errors.ts';

/** @throws TenantError `no-such-tenant` */
export function tenantOf({ manifest }: Settings, name: string): ManifestTenant {
  const tenant = manifest.tenants.find((one) => one.name === name);
  if (tenant !== undefined) return tenant;
  const known = manifest.tenants.map((one) => one.name).join(', ');
  throw new TenantError('no-such-tenant', `bucketwright.yaml has no tenant ${name}`, {
    subject: name,
    advice: known === '' ? 'bucketwright tenant add makes one' : `known are ${known}`,
  });
}
