/** Backup and restore of MDBX environments and plain directories to any S3. */
export { type DrillOptions, drill } from './drill.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export { runHook } from './hooks.ts';
export { type KeepRules, type Kept, keep } from './keep.ts';
export type { Method } from './mdbx/options.ts';
export { applyPrune, type PrunePlan, planPrune } from './prune.ts';
export type { Opener } from './repository/keys.ts';
export type { Snapshot } from './repository/model.ts';
export { type SnapshotName, snapshotKey, sourcePattern } from './repository/names.ts';
export { Repository, where } from './repository/repository.ts';
export type { SourceStore } from './repository/source-store.ts';
export type { RepositoryPlace } from './repository/storage.ts';
export { type Restored, restore } from './restore.ts';
export { backUp, type Source } from './run.ts';
export { verify } from './verify.ts';
