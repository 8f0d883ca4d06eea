import type { IncomingHttpHeaders } from 'node:http';
import { type Checksum, type ChecksumAlgorithm, type ChecksumType, checksumAlgorithms } from '../../checksum/index.ts';
import { checksumHeader, parseAlgorithm, parseChecksumValue } from '../digests.ts';
import { S3Error } from '../errors.ts';

export interface UploadChecksums {
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/**
 * How a multipart upload will be checksummed. CRC64NVME exists for the full object only, the SHAs only as composite
 * (User Guide, "Checking object integrity").
 * @throws S3Error `InvalidRequest`
 */
export function parseUploadChecksums(headers: IncomingHttpHeaders): UploadChecksums {
  const named = headers['x-amz-checksum-algorithm'];
  const type = parseType(headers);
  if (named === undefined) {
    if (type !== undefined) {
      throw invalid('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
    }
    return { checksumAlgorithm: undefined, checksumType: undefined };
  }
  const algorithm = parseAlgorithm('x-amz-checksum-algorithm', String(named));
  const only = onlyType(algorithm);
  if (type !== undefined && only !== undefined && type !== only) {
    throw invalid(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  }
  return { checksumAlgorithm: algorithm, checksumType: type ?? only ?? 'COMPOSITE' };
}

function onlyType(algorithm: ChecksumAlgorithm): ChecksumType | undefined {
  switch (algorithm) {
    case 'CRC64NVME':
      return 'FULL_OBJECT';
    case 'SHA1':
    case 'SHA256':
      return 'COMPOSITE';
    default:
      return undefined;
  }
}

/**
 * The checksum of the whole object that a completion states, in the form in which it is stored.
 * @throws S3Error `InvalidRequest`
 */
export function parseStatedChecksum(
  headers: IncomingHttpHeaders,
  upload: UploadChecksums,
  parts: number,
): Checksum | undefined {
  const type = parseType(headers);
  if (type !== undefined && upload.checksumType !== undefined && type !== upload.checksumType) {
    throw invalid(
      `The upload was created using the ${upload.checksumType} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const given = checksumAlgorithms.filter((algorithm) => headers[checksumHeader(algorithm)] !== undefined);
  const [algorithm] = given;
  if (algorithm === undefined) return undefined;
  if (given.length > 1) {
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const header = String(headers[checksumHeader(algorithm)]).trim();
  // Of an upload that was completed before, only the value tells.
  const kind = type ?? upload.checksumType ?? (/-\d+$/.test(header) ? 'COMPOSITE' : 'FULL_OBJECT');
  const base = kind === 'COMPOSITE' ? header.replace(/-\d+$/, '') : header;
  if (parseChecksumValue(algorithm, base) === undefined) {
    throw new S3Error('BadDigest', `Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
  return { algorithm, type: kind, value: kind === 'COMPOSITE' ? `${base}-${parts}` : base };
}

function parseType(headers: IncomingHttpHeaders): ChecksumType | undefined {
  const value = headers['x-amz-checksum-type'];
  if (value === undefined) return undefined;
  const name = String(value).toUpperCase();
  if (name !== 'COMPOSITE' && name !== 'FULL_OBJECT') throw invalid('Value for x-amz-checksum-type header is invalid.');
  return name;
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}
