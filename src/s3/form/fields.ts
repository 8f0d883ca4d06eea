import type { IncomingHttpHeaders } from 'node:http';
import { invalidArgument, S3Error } from '../errors.ts';
import { checkKey } from '../target.ts';
import { taggingHeader } from '../wire/tags.ts';
import { headerOfText, isHeaderText } from '../wire/text.ts';
import type { Form } from './multipart.ts';

const AS_HEADERS = new Set([
  'cache-control',
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'expires',
]);
/** About the signature, not about the object. */
const NOT_HEADERS = /^x-amz-(?:signature|algorithm|credential|date|security-token)$/;
const PLACEHOLDER = /\$\{filename\}/g;

/** The fields with the file's name filled in, as S3 does it before it looks at any of them. */
export function filledFields({ fields, file }: Form): ReadonlyMap<string, string> {
  const filled = new Map<string, string>();
  for (const [name, value] of fields) {
    filled.set(name, name === 'policy' ? value : value.replace(PLACEHOLDER, () => file.name));
  }
  return filled;
}

/** @throws S3Error `InvalidArgument`, `KeyTooLongError` */
export function keyOf(fields: ReadonlyMap<string, string>): string {
  const key = fields.get('key');
  if (key === undefined) {
    throw invalidArgument(
      'key',
      '',
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
    );
  }
  if (key === '') throw invalidArgument('key', '', 'User key must have a length greater than 0.');
  return checkKey(key);
}

/**
 * What the form says of the object, in the headers with which a PUT would say it.
 * @throws S3Error `InvalidArgument`
 */
export function headersOf(fields: ReadonlyMap<string, string>): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const [name, value] of fields) {
    if (name === 'acl') headers['x-amz-acl'] = checked(name, value);
    else if (name === 'tagging') headers['x-amz-tagging'] = taggingHeader(value);
    else if (AS_HEADERS.has(name) || (name.startsWith('x-amz-') && !NOT_HEADERS.test(name))) {
      headers[name] = checked(name, value);
    }
  }
  return headers;
}

/** It comes back as a response header, which must stay one line. */
function checked(name: string, value: string): string {
  if (!isHeaderText(value)) throw invalidArgument(name, value, 'The field must not hold control characters.');
  return headerOfText(value.trim());
}

/** Where to send the browser, with what it uploaded. Undefined when the form names no place. */
export function redirectOf(
  fields: ReadonlyMap<string, string>,
  made: { readonly bucket: string; readonly key: string; readonly etag: string },
): string | undefined {
  const wanted = fields.get('success_action_redirect') ?? fields.get('redirect');
  if (wanted === undefined || !/^https?:\/\//i.test(wanted)) return undefined;
  try {
    const url = new URL(wanted);
    const query = [
      `bucket=${encodeURIComponent(made.bucket)}`,
      `key=${encodeURIComponent(made.key)}`,
      `etag=${encodeURIComponent(`"${made.etag}"`)}`,
    ].join('&');
    url.search = url.search === '' ? query : `${url.search}&${query}`;
    return url.href;
  } catch {
    return undefined;
  }
}

/** S3 takes three values and reads everything else as 204. */
export function statusOf(fields: ReadonlyMap<string, string>): 200 | 201 | 204 {
  const wanted = fields.get('success_action_status');
  return wanted === '200' ? 200 : wanted === '201' ? 201 : 204;
}

/**
 * The file, held to the policy's size while it comes.
 * @throws S3Error `EntityTooLarge`
 */
export async function* atMost(chunks: AsyncIterable<Buffer>, max: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > max) {
      throw new S3Error('EntityTooLarge', undefined, { elements: { MaxSizeAllowed: max.toString() } });
    }
    yield chunk;
  }
}
