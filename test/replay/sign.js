import { createHash, createHmac } from 'node:crypto';
export function sign(request, keys, now) {
    const amzDate = now.toISOString().replace(/[-:]|\.\d+/g, '');
    const date = amzDate.slice(0, 8);
    const scope = `${date}/${keys.region}/s3/aws4_request`;
    const headers = {
        ...request.headers,
        host: `${keys.host}:${keys.port}`,
        'x-amz-date': amzDate,
        'x-amz-content-sha256': request.payloadHash,
    };
    const signed = Object.keys(headers)
        .filter((name) => name === 'host' || name.startsWith('x-amz-'))
        .sort();
    const [path = '', query = ''] = request.url.split('?');
    const canonical = [
        request.method,
        path.split('/').map(recode).join('/'),
        canonicalQuery(query),
        ...signed.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}`),
        '',
        signed.join(';'),
        request.payloadHash,
    ].join('\n');
    const key = [date, keys.region, 's3', 'aws4_request'].reduce((secret, part) => hmac(secret, part).digest(), `AWS4${keys.secretAccessKey}`);
    const signature = hmac(key, ['AWS4-HMAC-SHA256', amzDate, scope, hash(canonical)].join('\n')).digest('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
    return {
        headers: { ...headers, authorization },
        signature,
        chunk: (previous, data) => hmac(key, ['AWS4-HMAC-SHA256-PAYLOAD', amzDate, scope, previous, hash(''), hash(data)].join('\n')).digest('hex'),
    };
}
const hmac = (key, text) => createHmac('sha256', key).update(text);
const hash = (data) => createHash('sha256').update(data).digest('hex');
/** Percent-decoded, then encoded the one way SigV4 allows: everything but RFC 3986's unreserved characters. */
function recode(text) {
    return encodeURIComponent(decodeURIComponent(text)).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
function canonicalQuery(query) {
    if (query === '')
        return '';
    return query
        .split('&')
        .map((pair) => {
        const at = pair.indexOf('=');
        return at < 0 ? `${recode(pair)}=` : `${recode(pair.slice(0, at))}=${recode(pair.slice(at + 1))}`;
    })
        .sort()
        .join('&');
}
/** The data of each chunk of an aws-chunked body as recorded, without its framing; the last one is empty. */
export function chunksOf(body) {
    const chunks = [];
    for (let at = 0; at < body.length;) {
        const end = body.indexOf('\r\n', at);
        const size = Number.parseInt(body.toString('latin1', at, body.indexOf(';', at)), 16);
        if (end < 0 || Number.isNaN(size))
            throw new Error(`no chunk header at byte ${at} of the recorded body`);
        chunks.push(body.subarray(end + 2, end + 2 + size));
        at = end + 2 + size + 2;
    }
    return chunks;
}
/** The same chunks framed again with signatures of the given request. */
export function frameChunks(chunks, signed) {
    const out = [];
    let previous = signed.signature;
    for (const data of chunks) {
        previous = signed.chunk(previous, data);
        out.push(Buffer.from(`${data.length.toString(16)};chunk-signature=${previous}\r\n`), data, Buffer.from('\r\n'));
    }
    return Buffer.concat(out);
}
