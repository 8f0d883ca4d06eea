/** What can be configured of a bucket: one model for the manifest, the client and the plans. */

export {
  canonicalCors,
  canonicalLifecycle,
  canonicalRule,
  compact,
  compareText,
  samePolicy,
  sortedTags,
} from './canonical.ts';
export { chunkSafetyDays, type Dependent, type Harm, harmOf } from './harm.ts';
export {
  type Attribute,
  attributes,
  type BucketConfiguration,
  type CorsRule,
  type DefaultRetention,
  type Encryption,
  type Json,
  type LifecycleRule,
  type ObjectLock,
  type PolicyDocument,
  type PublicAccessBlock,
  type Tags,
  type Transition,
  type Versioning,
  versionings,
} from './model.ts';
export {
  type CanonicalStatement,
  canonicalPolicy,
  coversAction,
  coversText,
  listOf,
  statementsOf,
} from './policy-meaning.ts';
