/** The S3 client port: one interface for every provider. */
// For embedders, who have nothing but this: what a client is made for, from the same settings as the command line's.
export { type Connection, type ProviderProfile, providerNamed, resolveConnection } from '../providers/index.ts';
export { parseSettings } from '../settings/index.ts';
export { createClient } from './client.ts';
export { type Account, type BucketClient, createBucketClient } from './configuration/bucket-client.ts';
export { type BucketContents, type Contents, createBucketContents } from './configuration/empty.ts';
export { codeOf, type RequestOptionsOfClient } from './configuration/request.ts';
export { readXml, type XmlNode } from './configuration/xml.ts';
export { ClientError, type ClientErrorCode } from './errors.ts';
export { createExchange, type Exchange, type RawAnswer, type RawRequest } from './exchange.ts';
export type {
  Body,
  BucketEntry,
  CompleteUploadRequest,
  CreateUploadRequest,
  DeleteFailure,
  GetAnswer,
  GetRequest,
  ListedEntry,
  ListedPart,
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
