import type { Condition, ProviderProfile } from './profile.ts';

/**
 * Whether a condition may be relied on, such as for a lock: only where the profile lists it. A 200 proves nothing, since a
 * server that ignores the header answers the same.
 * @param versioned whether the bucket has versions
 */
export function believes(profile: ProviderProfile, condition: Condition, versioned: boolean): boolean {
  if (versioned && profile.conditionsNeedUnversioned === true) return false;
  return profile.conditions.includes(condition);
}
