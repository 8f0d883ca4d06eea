/** What is different about each S3 provider, and what follows from it where the settings say nothing. */
export { believes } from './conditions.ts';
export { generic } from './generic.ts';
export { type MeasuredRow, measuredRows } from './measured.ts';
export {
  type Condition,
  conditions,
  type Feature,
  type FeatureState,
  features,
  type PolicyDialect,
  type ProviderProfile,
} from './profile.ts';
export { detect, providerNamed, providers } from './registry.ts';
export { type Connection, resolveConnection, resolveEffective } from './resolve.ts';
