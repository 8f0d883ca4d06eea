/** The access that `mc anonymous set` gives to whoever has no key, by its name. */
export const anonymousAccess = ['none', 'download', 'upload', 'public'] as const;
export type AnonymousAccess = (typeof anonymousAccess)[number];

const ofBucket: Readonly<Record<AnonymousAccess, readonly string[]>> = {
  none: [],
  download: ['s3:GetBucketLocation', 's3:ListBucket'],
  upload: ['s3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
  public: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
};
const ofObjects: Readonly<Record<AnonymousAccess, readonly string[]>> = {
  none: [],
  download: ['s3:GetObject'],
  upload: ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject'],
  public: ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
};

/** The bucket policy that means the same; undefined: no policy at all. */
export function anonymousPolicy(bucket: string, access: AnonymousAccess) {
  if (access === 'none') return undefined;
  const allow = (Action: readonly string[], resource: string) => ({
    Effect: 'Allow' as const,
    Principal: { AWS: ['*'] },
    Action: [...Action],
    Resource: [`arn:aws:s3:::${resource}`],
  });
  return {
    Version: '2012-10-17' as const,
    Statement: [allow(ofBucket[access], bucket), allow(ofObjects[access], `${bucket}/*`)],
  };
}
