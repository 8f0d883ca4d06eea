const policy = (...actions: string[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });

/** Identity policies by a name of their own, on all buckets of the account; anything narrower is a document. */
export const cannedPolicies: Readonly<Record<string, string>> = {
  readwrite: policy('s3:*'),
  readonly: policy('s3:Get*', 's3:List*'),
  writeonly: policy(
    's3:PutObject*',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
    's3:ListBucketMultipartUploads',
  ),
};
