import { readdirSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { md5, sha256 } from "../support/content.js";
import { testEndpoint } from "../support/endpoint.js";
import { sharedPath } from "../support/paths.js";
import { skipUnless } from "../support/skip.js";
import { comparable, recorded } from "./compare.js";
import { bucketOf, readRecording } from "./recording.js";
import { chunksOf, frameChunks, sign } from "./sign.js";
const folder = sharedPath('fixtures/s3-traffic');
const recordings = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
const streaming = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
skipUnless(folder !== undefined && recordings.length > 0, 'fixtures/s3-traffic is not beside the checkout (BUCKETWRIGHT_SHARED)')('what real Loki and Tempo sent, replayed', () => {
    let endpoint;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    beforeAll(async () => {
        endpoint = await testEndpoint();
    });
    afterAll(async () => {
        agent.destroy();
        await endpoint?.[Symbol.asyncDispose]();
    });
    /** Sends bytes as they are: no client library may tidy up a path, a header or a body. */
    const send = (method, url, headers, body) => new Promise((resolve, reject) => {
        const { host, port } = endpoint;
        const request = httpRequest({ agent, host, port, method, path: url, headers, timeout: 20_000 }, (response) => {
            const parts = [];
            response.on('data', (bytes) => parts.push(bytes));
            response.on('error', reject);
            response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
        });
        request.on('error', reject);
        request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${url} within 20 s`)));
        request.end(body);
    });
    const replay = (exchange) => {
        const { connection: _, ...headers } = exchange.headers;
        const payloadHash = headers['x-amz-content-sha256'] ?? '';
        const signed = sign({ method: exchange.method, url: exchange.url, headers, payloadHash }, endpoint, new Date());
        const body = payloadHash === streaming ? frameChunks(chunksOf(exchange.body), signed) : exchange.body;
        return send(exchange.method, exchange.url, signed.headers, body);
    };
    test.each(recordings)('%s', { timeout: 120_000 }, async (name) => {
        const exchanges = await readRecording(join(folder ?? '', name));
        expect(exchanges.length).toBeGreaterThan(20);
        for (const bucket of new Set(exchanges.map(bucketOf))) {
            const url = `/${bucket}`;
            const xml = `<CreateBucketConfiguration><LocationConstraint>${endpoint.region}</LocationConstraint></CreateBucketConfiguration>`;
            const body = Buffer.from(endpoint.region === 'us-east-1' ? '' : xml);
            const headers = { 'content-length': String(body.length) };
            const signed = sign({ method: 'PUT', url, headers, payloadHash: sha256(body) }, endpoint, new Date());
            expect((await send('PUT', url, signed.headers, body)).status).toBe(200);
        }
        for (const exchange of exchanges) {
            const subject = `${name} n=${exchange.n} ${exchange.method} ${exchange.url} ${exchange.headers.range ?? ''}`;
            const answer = comparable(await replay(exchange));
            expect.soft(answer, subject).toEqual(recorded(exchange));
            if (exchange.method === 'PUT') {
                const chunked = exchange.headers['x-amz-content-sha256'] === streaming;
                const stored = chunked ? Buffer.concat(chunksOf(exchange.body)) : exchange.body;
                expect.soft(answer.etag, subject).toBe(`"${md5(stored)}"`);
            }
        }
    });
});
