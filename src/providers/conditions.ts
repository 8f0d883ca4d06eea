import type { ProviderProfile } from './profile.ts';

/** A condition on a write, by operation: each provider honours some of them and ignores the others in silence. */
export const conditions = ['put-if-absent', 'put-if-match', 'complete-if-absent', 'copy-if-absent'] as const;
export type Condition = (typeof conditions)[number];

/**
 * Whether a condition may be relied on, such as for a lock: only where the profile lists it. A 200 proves nothing, since a
 * server that ignores the header answers the same.
 * @param versioned whether the bucket has versions
 */
export function believes(profile: ProviderProfile, condition: Condition, versioned: boolean): boolean {
  if (versioned && profile.conditionsNeedUnversioned === true) return false;
  return profile.conditions.includes(condition);
}
