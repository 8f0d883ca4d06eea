import { sha256 } from '../support/content.ts';
import type { Exchange } from './recording.ts';

/** The part of an answer that both servers must agree on; request ids, dates, owners and hosts are theirs. */
export interface Comparable {
  readonly status: number;
  readonly etag: string | undefined;
  readonly contentRange: string | undefined;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What of the recorded answer another S3 must repeat. */
export function recorded(exchange: Exchange): Comparable {
  return comparable({ status: exchange.status, headers: exchange.responseHeaders, body: exchange.responseBody });
}

export function comparable({ status, headers, body }: Answer): Comparable {
  const xml = String(headers['content-type'] ?? '').includes('xml');
  return {
    status,
    etag: text(headers.etag),
    contentRange: text(headers['content-range']),
    contentType: xml ? 'application/xml' : text(headers['content-type']),
    body: xml ? listing(body.toString('utf8')) : { length: body.length, sha256: sha256(body) },
  };
}

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value);

/**
 * The facts of a listing or error. Read with patterns on purpose: Ceph puts members in another order than AWS, encodes
 * slashes under `encoding-type=url` where AWS does not, and leaves KeyCount's place to itself.
 */
function listing(xml: string): unknown {
  const encoded = xml.includes('<EncodingType>url</EncodingType>');
  const decode = (value: string) => {
    const plain = value.replaceAll('&quot;', '"').replaceAll('&#34;', '"').replaceAll('&amp;', '&');
    return encoded ? decodeURIComponent(plain.replaceAll('+', ' ')) : plain;
  };
  const member = (of: string, name: string) => {
    const value = new RegExp(`<${name}>([^<]*)</${name}>`).exec(of)?.[1];
    return value === undefined ? undefined : decode(value);
  };
  const blocks = (name: string) =>
    [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((m) => m[1] ?? '');
  const outside = xml.replace(/<(Contents|CommonPrefixes)>.*?<\/\1>/gs, '');
  return {
    root: /<(\w+)[ >]/.exec(xml.replace(/<\?.*?\?>/, ''))?.[1],
    code: member(outside, 'Code'),
    name: member(outside, 'Name'),
    prefix: member(outside, 'Prefix'),
    delimiter: member(outside, 'Delimiter'),
    maxKeys: member(outside, 'MaxKeys'),
    startAfter: member(outside, 'StartAfter'),
    keyCount: member(outside, 'KeyCount'),
    truncated: member(outside, 'IsTruncated'),
    prefixes: blocks('CommonPrefixes').map((block) => member(block, 'Prefix')),
    contents: blocks('Contents').map((block) => ({
      key: member(block, 'Key'),
      etag: member(block, 'ETag'),
      size: member(block, 'Size'),
      storageClass: member(block, 'StorageClass'),
    })),
  };
}
