/** Who else answers an operation; what is not said is yes. */
export interface Elsewhere {
  readonly ours?: string;
  readonly minio?: string;
  readonly rgw?: string;
  readonly hetzner?: string;
  readonly aws?: string;
}

const NO = 'no';

/**
 * Exceptions by operation, for docs/s3-compatibility.md. RGW 20.2.4 was measured; MinIO's last community release, Hetzner
 * and AWS are from their documentation and from reports.
 */
export const elsewhere: Readonly<Partial<Record<string, Elsewhere>>> = {
  PostObject: { ours: 'signed by V4 or V2' },
  CopyObject: { hetzner: 'not of SSE-C objects' },
  UploadPartCopy: { hetzner: 'not of SSE-C objects' },
  GetObjectAttributes: { rgw: 'one attribute at a time', hetzner: NO },
  GetObjectTagging: { hetzner: '501' },
  PutObjectTagging: { hetzner: '501' },
  DeleteObjectTagging: { hetzner: '501' },
  GetObjectAcl: { ours: 'where ACLs are enabled; else the owner', minio: 'always the owner' },
  PutObjectAcl: { ours: 'where ACLs are enabled', minio: '`private` only', hetzner: '`private`, `public-read`' },
  GetBucketAcl: { ours: 'where ACLs are enabled; else the owner', minio: 'always the owner' },
  PutBucketAcl: { ours: 'where ACLs are enabled', minio: '`private` only', hetzner: '`private`, `public-read`' },
  GetPublicAccessBlock: { minio: NO, hetzner: '?' },
  PutPublicAccessBlock: { minio: NO, hetzner: '?' },
  DeletePublicAccessBlock: { minio: NO, hetzner: '?' },
  GetBucketOwnershipControls: { minio: NO, rgw: 'answers a listing', hetzner: NO },
  PutBucketOwnershipControls: { minio: NO, rgw: '400', hetzner: NO },
  DeleteBucketOwnershipControls: { minio: NO, rgw: '**deletes the bucket**', hetzner: NO },
  GetBucketCors: { minio: NO },
  PutBucketCors: { minio: NO },
  DeleteBucketCors: { minio: NO },
  GetBucketTagging: { hetzner: '501' },
  PutBucketTagging: { hetzner: '501' },
  DeleteBucketTagging: { hetzner: '501' },
  GetBucketEncryption: { ours: 'always "not configured"', hetzner: 'only SSE-C' },
  PutBucketEncryption: { ours: '501', minio: 'with a key service', rgw: 'with a key service', hetzner: 'only SSE-C' },
  DeleteBucketEncryption: { hetzner: 'only SSE-C' },
  GetBucketWebsite: { ours: 'always "not configured"', minio: NO, hetzner: NO },
  GetBucketLogging: { ours: 'always empty', minio: NO, hetzner: NO },
  GetBucketNotificationConfiguration: { ours: 'always empty', hetzner: NO },
  GetBucketReplication: { ours: 'always "not configured"', hetzner: NO },
  GetBucketRequestPayment: { ours: 'always the owner', minio: 'always the owner', hetzner: NO },
  GetBucketAccelerateConfiguration: { ours: 'always empty', minio: 'always empty', rgw: NO, hetzner: NO },
  PreflightBucket: { minio: 'one rule for the server' },
  PreflightObject: { minio: 'one rule for the server' },
};
