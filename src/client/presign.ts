import type { Connection } from '../providers/index.ts';
import { encodePart, presign } from '../sigv4/index.ts';
import { addressOf } from './exchange.ts';
import type { PresignRequest } from './port.ts';

/**
 * A presigned URL without a checksum: the SDK's would carry that of an empty body, and the real upload would be refused. It
 * is made here and not by the SDK's presigner because it costs a tenth, and because that one moves what is to be sent as a
 * header into the query.
 * @param now milliseconds since 1970 UTC
 */
export function presignedUrl(connection: Connection, request: PresignRequest, now: number): string {
  const { method, bucket, key, expiresSeconds, contentType, disposition, exactly } = request;
  const { endpoint, credentials, region } = connection;
  const rawKey = key.split('/').map(encodePart).join('/');
  const { host, port, path } = addressOf(connection, { bucket, encodedKey: rawKey });
  const authority = port === undefined ? host : `${host}:${port}`;
  const headers = {
    host: authority,
    'content-type': contentType,
    'content-length': exactly === undefined ? undefined : String(exactly.size),
    'x-amz-content-sha256': exactly?.sha256,
  };
  const rawQuery = disposition === undefined ? '' : `response-content-disposition=${encodePart(disposition)}`;
  const query = presign({ method, rawPath: path, rawQuery, headers }, expiresSeconds, {
    accessKeyId: credentials.accessKeyId.reveal(),
    secret: credentials.secretAccessKey,
    region,
    now,
  });
  return `${endpoint.scheme}://${authority}${path}?${query}`;
}
