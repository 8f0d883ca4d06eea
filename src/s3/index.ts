export {
  type Authorise,
  type Caller,
  type Check,
  type Credential,
  type CredentialSource,
  ownersOnly,
} from './access.ts';
export type { Limits } from './body.ts';
export { createS3Service, type RequestEvent, type S3ServiceOptions } from './service.ts';
