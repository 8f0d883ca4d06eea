export type {
  AccountName,
  Accounts,
  AccountUser,
  Authorise,
  Caller,
  Check,
  Credential,
  CredentialSource,
} from './access.ts';
export type { Limits } from './body.ts';
export { type ObjectOwnership, OWNERSHIPS } from './bucket-access.ts';
export { createS3Service, type RequestEvent, type S3ServiceOptions } from './service.ts';
