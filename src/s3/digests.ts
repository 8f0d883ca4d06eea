import type { IncomingHttpHeaders } from 'node:http';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  type DigestName,
  type Digests,
  digestLength,
  fullObjectChecksum,
} from '../checksum/index.ts';
import { invalidArgument, S3Error } from './errors.ts';
import type { Payload } from './payload.ts';

/** What to compute while a body arrives, and the comparison when it is there. */
export interface DigestPlan {
  readonly digests: readonly DigestName[];
  /** The algorithm of the checksum that the client sends, in a header or trailer. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /**
   * The checksum to store.
   * @throws S3Error `BadDigest`, `XAmzContentSHA256Mismatch`, `MalformedTrailerError`, `EntityTooLarge`
   */
  accept(digests: Digests, size: number): Checksum | undefined;
}

/** Whether `x-amz-checksum-*` is about the body, must be there (or Content-MD5), or is about something else. */
export type ChecksumHeaders = 'body' | 'required' | 'ignored';

interface Expected {
  readonly algorithm: ChecksumAlgorithm;
  /** Undefined: it comes in the trailer. */
  readonly value: Buffer | undefined;
}

const HEADERS: readonly (readonly [header: string, algorithm: ChecksumAlgorithm])[] = checksumAlgorithms.map((name) => [
  checksumHeader(name),
  name,
]);

/** `x-amz-checksum-crc32` and its kin. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/**
 * Reads every header that says what the body must be.
 * @throws S3Error `InvalidDigest`, `InvalidRequest`
 */
export function planDigests(
  headers: IncomingHttpHeaders,
  payload: Payload,
  maxBytes: number,
  checksums: ChecksumHeaders = 'body',
): DigestPlan {
  const md5 = contentMd5(headers['content-md5']);
  const expected = checksums === 'ignored' ? undefined : expectedChecksum(headers, payload);
  if (checksums === 'required' && md5 === undefined && expected === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const { sha256 } = payload;
  const digests: DigestName[] = ['MD5'];
  if (expected !== undefined) digests.push(expected.algorithm);
  if (sha256 !== undefined && expected?.algorithm !== 'SHA256') digests.push('SHA256');

  return {
    digests,
    algorithm: expected?.algorithm,
    accept(actual, size) {
      if (size > maxBytes) throw new S3Error('EntityTooLarge');
      if (md5 !== undefined && !actual.get('MD5')?.equals(md5)) throw new S3Error('BadDigest');
      if (sha256 !== undefined) {
        const computed = actual.get('SHA256')?.toString('hex');
        if (computed !== sha256) {
          const elements = { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed ?? '' };
          throw new S3Error('XAmzContentSHA256Mismatch', undefined, { elements });
        }
      }
      if (expected === undefined) return undefined;
      const { algorithm } = expected;
      const digest = actual.get(algorithm);
      const stated = expected.value ?? trailerValue(payload, algorithm);
      if (digest === undefined || !digest.equals(stated)) {
        throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
      }
      return fullObjectChecksum(algorithm, digest);
    },
  };
}

/** A checksum value of the right length for its algorithm. */
export function parseChecksumValue(algorithm: ChecksumAlgorithm, value: string): Buffer | undefined {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === digestLength(algorithm) && bytes.toString('base64') === value ? bytes : undefined;
}

/**
 * An algorithm by the name that clients use in headers.
 * @throws S3Error `InvalidRequest`
 */
export function parseAlgorithm(header: string, value: string): ChecksumAlgorithm {
  const wanted = value.trim().toUpperCase();
  const found = checksumAlgorithms.find((name) => name === wanted);
  if (found === undefined) {
    throw new S3Error('InvalidRequest', `Value for ${header} header is invalid.`, { subject: header });
  }
  return found;
}

function contentMd5(value: string | string[] | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== text) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  return bytes;
}

function expectedChecksum(headers: IncomingHttpHeaders, payload: Payload): Expected | undefined {
  let found: Expected | undefined;
  for (const [header, algorithm] of HEADERS) {
    const given = headers[header];
    if (given === undefined) continue;
    if (found !== undefined) throw several();
    const value = parseChecksumValue(algorithm, String(given));
    if (value === undefined) {
      // No digest of this algorithm, so not that of the body either.
      throw new S3Error('BadDigest', `Value for ${header} header is invalid.`, { subject: header });
    }
    found = { algorithm, value };
  }
  const trailer = headers['x-amz-trailer'];
  if (trailer !== undefined) {
    const name = String(trailer).trim().toLowerCase();
    const algorithm = HEADERS.find(([header]) => header === name)?.[1];
    if (algorithm === undefined || payload.chunked === undefined) {
      throw invalidArgument('x-amz-trailer', name, 'The value specified in the x-amz-trailer header is not supported');
    }
    if (found !== undefined) throw several();
    found = { algorithm, value: undefined };
  }
  const announced = headers['x-amz-sdk-checksum-algorithm'];
  if (announced !== undefined) {
    const algorithm = parseAlgorithm('x-amz-sdk-checksum-algorithm', String(announced));
    if (found?.algorithm !== algorithm) {
      throw new S3Error(
        'InvalidRequest',
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      );
    }
  }
  return found;
}

function several(): S3Error {
  return new S3Error(
    'InvalidRequest',
    'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
  );
}

function trailerValue(payload: Payload, algorithm: ChecksumAlgorithm): Buffer {
  const text = payload.chunked?.trailer(checksumHeader(algorithm));
  const value = text === undefined ? undefined : parseChecksumValue(algorithm, text.trim());
  if (value === undefined) throw new S3Error('MalformedTrailerError');
  return value;
}
