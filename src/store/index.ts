export { openDirectory } from './check/access.ts';
export { type FsckOptions, fsck } from './check/fsck.ts';
export { applyRepairs, describeRepair, type Repair } from './check/repair.ts';
export { StoreError, type StoreErrorCode } from './errors.ts';
export { isStoreDirectory } from './format.ts';
export { backupIndex, type CopyResult, compactIndex, restoreIndex } from './index/copies.ts';
export type { LifecycleReport } from './lifecycle/report.ts';
export { LocalStore, type LocalStoreOptions, openLocalStore } from './local-store.ts';
export type * from './port.ts';
