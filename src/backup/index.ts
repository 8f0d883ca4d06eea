/** Backup and restore of MDBX environments and plain directories to any S3. */
export { type DrillOptions, drill } from './drill.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export { runHook } from './hooks.ts';
export { applyPrune, type KeepRules, type Kept, type PrunePlan, planPrune } from './prune.ts';
export type { Snapshot } from './repository/model.ts';
export { Repository, type RepositoryPlace, where } from './repository/repository.ts';
export { type Restored, restore } from './restore.ts';
export { backUp, type Method, type Source } from './run.ts';
export { verify } from './verify.ts';
