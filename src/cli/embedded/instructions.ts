export interface Instructions {
  readonly endpoint: string;
  readonly region: string;
  /** Path of the generated settings file; undefined when the keys came from settings. */
  readonly keyFile: string | undefined;
  readonly bucket: string;
  /** One line that says how to stop the server. */
  readonly stop: string;
}

/** What to paste where, for people who have just started a server. Holds no secret: the lines read the settings file. */
export function instructions({ endpoint, region, keyFile, bucket, stop }: Instructions): string {
  const file = keyFile ?? 'your own S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY';
  const load = keyFile === undefined ? '' : `  set -a; . ${quoted(keyFile)}; set +a\n`;
  return `
endpoint   ${endpoint}
region     ${region}
settings   ${file}

Point any of our commands, or your shell, at it:
${load}  npx bucketwright verify

awscli:
  AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY_ID" AWS_SECRET_ACCESS_KEY="$S3_SECRET_ACCESS_KEY" AWS_DEFAULT_REGION=${region} \\
    aws --endpoint-url ${endpoint} s3 ls s3://${bucket}

rclone:
  RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT=${endpoint} RCLONE_S3_REGION=${region} \\
    RCLONE_S3_ACCESS_KEY_ID="$S3_ACCESS_KEY_ID" RCLONE_S3_SECRET_ACCESS_KEY="$S3_SECRET_ACCESS_KEY" rclone ls :s3:${bucket}

AWS SDK for JavaScript:
  new S3Client({ endpoint: '${endpoint}', region: '${region}', forcePathStyle: true, credentials: {
    accessKeyId: process.env.S3_ACCESS_KEY_ID, secretAccessKey: process.env.S3_SECRET_ACCESS_KEY } })

stop: ${stop}
`;
}

function quoted(path: string): string {
  const safe = /^[A-Za-z0-9_./@:+-]+$/.test(path);
  // A dot command without a slash searches PATH.
  const named = path.includes('/') ? path : `./${path}`;
  return safe ? named : `'${named.replaceAll("'", "'\\''")}'`;
}
