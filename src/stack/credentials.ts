import type { Credentials } from '../settings/index.ts';
import { RenderError } from './errors.ts';

/**
 * The characters that the readers of an AWS credentials file (minio-go's ini parser, the AWS SDKs) treat as quotes,
 * comments, line continuations or interpolation. The keys that servers generate hold none of them.
 */
const misread = /["'`\\#;%\s]|[^\x21-\x7e]/;

/**
 * The file that `AWS_SHARED_CREDENTIALS_FILE` names, read by Loki and Tempo themselves, so that keys are in no
 * configuration and no environment.
 * @throws RenderError when a key is empty or holds a character that a reader would take for syntax
 */
export function renderCredentialsFile(credentials: Credentials): string {
  const keyId = checked('S3_ACCESS_KEY_ID', credentials.accessKeyId.reveal());
  const secret = checked('S3_SECRET_ACCESS_KEY', credentials.secretAccessKey.reveal());
  return `[default]\naws_access_key_id = ${keyId}\naws_secret_access_key = ${secret}\n`;
}

function checked(name: string, value: string): string {
  if (value === '') {
    throw new RenderError(`${name} is empty`, { subject: name, advice: `set ${name} or ${name}_FILE` });
  }
  if (misread.test(value)) {
    throw new RenderError(`${name} holds a character that an AWS credentials file cannot carry`, {
      subject: name,
      advice: 'make new keys without quotes, backslashes, spaces and # ; %',
    });
  }
  return value;
}
