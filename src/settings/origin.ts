/** Where an effective value came from. */
export type Origin =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'file'; readonly variable: string; readonly path: string }
  | { readonly kind: 'yaml'; readonly path: string; readonly line: number; readonly column: number }
  /** Filled in by the provider's profile. */
  | { readonly kind: 'provider'; readonly profile: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'unset' };

/** For people: `environment S3_REGION`, `bucketwright.yaml:3:5`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
      return `flag ${origin.flag}`;
    case 'environment':
      return `environment ${origin.variable}`;
    case 'file':
      return `file ${origin.path} (${origin.variable})`;
    case 'yaml':
      return `${origin.path}:${origin.line}:${origin.column}`;
    case 'provider':
      return `provider ${origin.profile}`;
    case 'default':
      return 'default';
    case 'unset':
      return 'unset';
  }
}
