/**
 * The actions that RADOS Gateways take in a bucket policy, each tried alone in a policy of its own: those that 16.2.15 and
 * 18.2.7 both answered with 204 rather than 400 InvalidArgument, of all that AWS lists (2026-11). `test/provision/` sends
 * them again. Two of a newer Ceph (GetBucketEncryption, PutBucketEncryption) are left out: 16 refuses them.
 */
export const rgwActions: readonly string[] = `
  AbortMultipartUpload BypassGovernanceRetention CreateBucket DeleteBucket DeleteBucketPolicy
  DeleteBucketPublicAccessBlock DeleteBucketWebsite DeleteObject DeleteObjectTagging DeleteObjectVersion
  DeleteObjectVersionTagging DeleteReplicationConfiguration GetAccelerateConfiguration GetBucketAcl GetBucketCORS
  GetBucketLocation GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration GetBucketPolicy
  GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning
  GetBucketWebsite GetLifecycleConfiguration GetObject GetObjectAcl GetObjectLegalHold GetObjectRetention
  GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionTagging
  GetObjectVersionTorrent GetReplicationConfiguration ListAllMyBuckets ListBucket ListBucketMultipartUploads
  ListBucketVersions ListMultipartUploadParts PutAccelerateConfiguration PutBucketAcl PutBucketCORS
  PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketPolicy
  PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
  PutLifecycleConfiguration PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging
  PutObjectVersionAcl PutObjectVersionTagging PutReplicationConfiguration RestoreObject
`
  .trim()
  .split(/\s+/)
  .map((name) => `s3:${name}`);
