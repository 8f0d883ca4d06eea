import type { Operation } from '../operation.ts';
import { abortMultipartUpload } from './abort-multipart-upload.ts';
import { getBucketAcl, putBucketAcl } from './bucket-acl.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './bucket-cors.ts';
import { deleteBucketEncryption, getBucketEncryption, putBucketEncryption } from './bucket-encryption.ts';
import { deleteBucketLifecycle, getBucketLifecycle, putBucketLifecycle } from './bucket-lifecycle.ts';
import { deleteBucketPolicy, getBucketPolicy, getBucketPolicyStatus, putBucketPolicy } from './bucket-policy.ts';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './bucket-tagging.ts';
import { getBucketVersioning, putBucketVersioning } from './bucket-versioning.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';
import { copyObject } from './copy-object.ts';
import { createBucket } from './create-bucket.ts';
import { createMultipartUpload } from './create-multipart-upload.ts';
import { deleteBucket } from './delete-bucket.ts';
import { deleteObject } from './delete-object.ts';
import { deleteObjectTagging } from './delete-object-tagging.ts';
import { deleteObjects } from './delete-objects.ts';
import { getBucketLocation } from './get-bucket-location.ts';
import { getObject } from './get-object.ts';
import { getObjectAttributes } from './get-object-attributes.ts';
import { getObjectTagging } from './get-object-tagging.ts';
import { headBucket } from './head-bucket.ts';
import { headObject } from './head-object.ts';
import { listBuckets } from './list-buckets.ts';
import { listMultipartUploads } from './list-multipart-uploads.ts';
import { listObjectVersions } from './list-object-versions.ts';
import { listObjects } from './list-objects.ts';
import { listObjectsV2 } from './list-objects-v2.ts';
import { listParts } from './list-parts.ts';
import { getObjectAcl, putObjectAcl } from './object-acl.ts';
import { getObjectLegalHold, putObjectLegalHold } from './object-legal-hold.ts';
import { getObjectLockConfiguration, putObjectLockConfiguration } from './object-lock-configuration.ts';
import { getObjectRetention, putObjectRetention } from './object-retention.ts';
import {
  deleteBucketOwnershipControls,
  getBucketOwnershipControls,
  putBucketOwnershipControls,
} from './ownership-controls.ts';
import { postObject } from './post-object.ts';
import { preflights } from './preflight.ts';
import { deletePublicAccessBlock, getPublicAccessBlock, putPublicAccessBlock } from './public-access-block.ts';
import { putObject } from './put-object.ts';
import { putObjectTagging } from './put-object-tagging.ts';
import { unconfiguredBucketReads } from './unconfigured.ts';
import { uploadPart } from './upload-part.ts';
import { uploadPartCopy } from './upload-part-copy.ts';

/** Every operation we answer. The router, the tests and the compatibility table are made from this list. */
export const operations: readonly Operation[] = [
  listBuckets,
  createBucket,
  headBucket,
  deleteBucket,
  getBucketLocation,
  listObjects,
  listObjectsV2,
  putObject,
  postObject,
  getObject,
  headObject,
  deleteObject,
  deleteObjects,
  copyObject,
  getObjectTagging,
  putObjectTagging,
  deleteObjectTagging,
  getObjectAttributes,
  getObjectAcl,
  putObjectAcl,
  getBucketAcl,
  putBucketAcl,
  getBucketPolicy,
  putBucketPolicy,
  deleteBucketPolicy,
  getBucketPolicyStatus,
  getPublicAccessBlock,
  putPublicAccessBlock,
  deletePublicAccessBlock,
  getBucketOwnershipControls,
  putBucketOwnershipControls,
  deleteBucketOwnershipControls,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
  completeMultipartUpload,
  abortMultipartUpload,
  listParts,
  listMultipartUploads,
  getBucketVersioning,
  putBucketVersioning,
  listObjectVersions,
  getObjectLockConfiguration,
  putObjectLockConfiguration,
  getObjectRetention,
  putObjectRetention,
  getObjectLegalHold,
  putObjectLegalHold,
  getBucketCors,
  putBucketCors,
  deleteBucketCors,
  getBucketTagging,
  putBucketTagging,
  deleteBucketTagging,
  getBucketEncryption,
  putBucketEncryption,
  deleteBucketEncryption,
  getBucketLifecycle,
  putBucketLifecycle,
  deleteBucketLifecycle,
  ...unconfiguredBucketReads,
  ...preflights,
];
