export { StoreError, type StoreErrorCode } from './errors.ts';
export { LocalStore, type LocalStoreOptions, openLocalStore } from './local-store.ts';
export type * from './port.ts';
