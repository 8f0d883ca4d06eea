import { Agent, request as httpRequest } from 'node:http';
import { Secret } from "../../src/core/secret.js";
import { signRequest } from "../../src/sigv4/index.js";
/** As little client as possible: fault tests send many requests and must see every failure themselves, unretried. */
export class LeanClient {
    #endpoint;
    #agent;
    #secret;
    constructor(endpoint, connections) {
        this.#endpoint = endpoint;
        this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
        this.#secret = new Secret(endpoint.secretAccessKey);
    }
    /**
     * @param target path and query, encoded
     * @throws the socket's error, when there was no whole answer
     */
    send(method, target, body, headers = {}) {
        const { host, port, region, accessKeyId } = this.#endpoint;
        const [rawPath = '', rawQuery = ''] = target.split('?');
        const payload = { kind: 'unsigned' };
        const signed = signRequest({ method, rawPath, rawQuery, headers: { host: `${host}:${port}`, ...headers } }, payload, {
            accessKeyId,
            secret: this.#secret,
            region,
            now: Date.now(),
        });
        return new Promise((resolve, reject) => {
            const all = {
                host: `${host}:${port}`,
                'content-length': String(body?.length ?? 0),
                ...headers,
                ...signed.headers,
            };
            const request = httpRequest({ host, port, method, path: target, headers: all, agent: this.#agent }, (response) => {
                const chunks = [];
                response.on('data', (chunk) => chunks.push(chunk));
                response.on('error', reject);
                response.on('end', () => {
                    if (!response.complete)
                        reject(new Error('the answer broke off'));
                    const { etag } = response.headers;
                    resolve({ status: response.statusCode ?? 0, etag, body: Buffer.concat(chunks) });
                });
            });
            request.on('error', reject);
            request.end(body);
        });
    }
    close() {
        this.#agent.destroy();
    }
}
