import { Agent, request as httpRequest } from 'node:http';
import { Secret } from '../../src/core/secret.ts';
import { type PayloadMode, signRequest } from '../../src/sigv4/index.ts';
import type { S3Endpoint } from '../support/endpoint.ts';

export interface LeanAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  readonly body: Buffer;
}

/** As little client as possible: fault tests send many requests and must see every failure themselves, unretried. */
export class LeanClient {
  readonly #endpoint: S3Endpoint;
  readonly #agent: Agent;
  readonly #secret: Secret;

  constructor(endpoint: S3Endpoint, connections: number) {
    this.#endpoint = endpoint;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#secret = new Secret(endpoint.secretAccessKey);
  }

  /**
   * @param target path and query, encoded
   * @throws the socket's error, when there was no whole answer
   */
  send(
    method: string,
    target: string,
    body?: Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LeanAnswer> {
    const { host, port, region, accessKeyId } = this.#endpoint;
    const [rawPath = '', rawQuery = ''] = target.split('?');
    const payload: PayloadMode = { kind: 'unsigned' };
    const signed = signRequest(
      { method, rawPath, rawQuery, headers: { host: `${host}:${port}`, ...headers } },
      payload,
      {
        accessKeyId,
        secret: this.#secret,
        region,
        now: Date.now(),
      },
    );
    return new Promise((resolve, reject) => {
      const all = {
        host: `${host}:${port}`,
        'content-length': String(body?.length ?? 0),
        ...headers,
        ...signed.headers,
      };
      const request = httpRequest(
        { host, port, method, path: target, headers: all, agent: this.#agent },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            if (!response.complete) reject(new Error('the answer broke off'));
            const { etag, 'x-amz-version-id': version } = response.headers;
            const versionId = version?.toString();
            resolve({ status: response.statusCode ?? 0, etag, versionId, body: Buffer.concat(chunks) });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The answer, if it has this status. */
export async function answered(answer: Promise<LeanAnswer>, status: number): Promise<LeanAnswer> {
  const got = await answer;
  if (got.status !== status) throw new Error(`status ${got.status}: ${got.body.toString().slice(0, 300)}`);
  return got;
}
