/** Every setting, parsed once at the edge. */
export { formatListenAddress, type ListenAddress, parseListenAddress } from './address.ts';
export { type BucketTarget, parseBucketName, type Use, uses } from './buckets.ts';
export { type Declaration, declarations } from './declarations.ts';
export { type Endpoint, isLoopback, isPrivateHost, parseEndpoint } from './endpoint.ts';
export { formatProblem, type SettingProblem, SettingsError } from './errors.ts';
export { jsonSchema } from './json-schema.ts';
export { editTenants, type TenantEdit, type TenantEntry } from './manifest/edit.ts';
export {
  type DesiredConfiguration,
  emptyManifest,
  type Manifest,
  type ManifestBucket,
  type ManifestTenant,
  NONE,
} from './manifest/model.ts';
export { manifestReferencePage } from './manifest/reference.ts';
export { formatOrigin, type Origin } from './origin.ts';
export { parseSettings, type SettingsInput } from './parse.ts';
export { referencePage } from './reference.ts';
export type {
  Credentials,
  EffectiveValue,
  FilesystemStorage,
  S3Storage,
  ServerSettings,
  Settings,
} from './settings.ts';
export { suggest } from './suggest.ts';
