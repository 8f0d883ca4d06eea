import { sha256 } from "../support/content.js";
/** What of the recorded answer another S3 must repeat. */
export function recorded(exchange) {
    return comparable({ status: exchange.status, headers: exchange.responseHeaders, body: exchange.responseBody });
}
export function comparable({ status, headers, body }) {
    const xml = String(headers['content-type'] ?? '').includes('xml');
    return {
        status,
        etag: text(headers.etag),
        contentRange: text(headers['content-range']),
        contentType: xml ? 'application/xml' : text(headers['content-type']),
        body: xml ? listing(body.toString('utf8')) : { length: body.length, sha256: sha256(body) },
    };
}
const text = (value) => (Array.isArray(value) ? value.join(', ') : value);
/**
 * The facts of a listing or error. Read with patterns on purpose: Ceph puts members in another order than AWS, encodes
 * slashes under `encoding-type=url` where AWS does not, and leaves KeyCount's place to itself.
 */
function listing(xml) {
    const encoded = xml.includes('<EncodingType>url</EncodingType>');
    const decode = (value) => {
        const plain = value.replaceAll('&quot;', '"').replaceAll('&#34;', '"').replaceAll('&amp;', '&');
        return encoded ? decodeURIComponent(plain.replaceAll('+', ' ')) : plain;
    };
    const member = (of, name) => {
        const value = new RegExp(`<${name}>([^<]*)</${name}>`).exec(of)?.[1];
        return value === undefined ? undefined : decode(value);
    };
    const blocks = (name) => [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((m) => m[1] ?? '');
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
