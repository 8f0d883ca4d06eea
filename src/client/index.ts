/** The S3 client port: one interface for every provider. */
export { createClient } from './client.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export type {
  Body,
  BucketEntry,
  CompleteUploadRequest,
  CreateUploadRequest,
  DeleteFailure,
  GetAnswer,
  GetRequest,
  ListedEntry,
  ListRequest,
  ObjectAddress,
  ObjectClient,
  ObjectFacts,
  ObjectHeaders,
  PresignRequest,
  PutAnswer,
  PutRequest,
  UnfinishedUpload,
  UploadedPart,
  UploadPartRequest,
  UploadRequest,
} from './port.ts';
export type { TransportOptions } from './transport.ts';
