import { canonicalPath, canonicalQuery, type QueryParameter } from './encoding.ts';
import { sha256Hex } from './keys.ts';
import { ALGORITHM, type Headers } from './model.ts';

export interface CanonicalInput {
  readonly method: string;
  readonly rawPath: string;
  /** Without `X-Amz-Signature`. */
  readonly parameters: readonly QueryParameter[];
  readonly headers: Headers;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
}

/** Signature Version 4, "Create a canonical request", with S3's rules for the path. */
export function canonicalRequest(input: CanonicalInput): string {
  let headers = '';
  for (const name of input.signedHeaders) headers += `${name}:${canonicalValue(own(input.headers, name))}\n`;
  const query = input.parameters.length === 0 ? '' : canonicalQuery(input.parameters);
  return `${input.method}\n${canonicalPath(input.rawPath)}\n${query}\n${headers}\n${input.signedHeaders.join(';')}\n${input.payloadHash}`;
}

/** `scope` is `YYYYMMDD/region/service/aws4_request`. */
export function stringToSign(amzDate: string, scope: string, canonical: string): string {
  return `${ALGORITHM}\n${amzDate}\n${scope}\n${sha256Hex(bytesOf(canonical))}`;
}

/** One header's value; undefined when it is absent or given more than once. */
export function single(headers: Headers, name: string): string | undefined {
  const value = own(headers, name);
  return typeof value === 'string' ? value : value?.length === 1 ? value[0] : undefined;
}

/** A client may list any name as signed, `constructor` too. */
function own(headers: Headers, name: string): string | readonly string[] | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

// Space and tab only: U+00A0 is a byte of many UTF-8 characters.
const NEEDS_TRIMMING = /^ | $| {2}|\t/;

function canonicalValue(value: string | readonly string[] | undefined): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return value.map(canonicalValue).join(',');
  return NEEDS_TRIMMING.test(value) ? value.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '') : value;
}

const BEYOND_LATIN1 = /[^\u0000-\u00ff]/;
const BEYOND_ASCII = /[^\u0000-\u007f]/;

// node:http gives each byte of a header as one character, so a value that the client signed as UTF-8 has to become
// those bytes again. Text that we sign ourselves may hold other characters: then it is UTF-8.
function bytesOf(canonical: string): string | Buffer {
  if (!BEYOND_ASCII.test(canonical)) return canonical;
  return Buffer.from(canonical, BEYOND_LATIN1.test(canonical) ? 'utf8' : 'latin1');
}
