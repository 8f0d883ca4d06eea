export { cannedPolicies } from './canned-policies.ts';
export { UserError } from './errors.ts';
export type { Account, StoredQuota } from './model.ts';
export { type KnownKey, type KnownUser, UserDirectory } from './user-directory.ts';
export { userFilePath } from './user-file.ts';
export { type NewKey, type NewUser, type UserInfo, UserStore } from './user-store.ts';
export { serverKeyPath } from './vault.ts';
