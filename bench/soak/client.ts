/** One connection of the soak: signed requests of any kind, each answer's status and bytes. */
import { Agent, request as httpRequest } from 'node:http';
import { Secret } from '../../src/core/secret.ts';
import { signRequest } from '../../src/sigv4/index.ts';
import { credentials, region } from '../servers/server.ts';

export interface Reply {
  readonly status: number;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly body: Buffer;
}

const secret = new Secret(credentials.secretAccessKey);

export class SoakClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @param breakAfter bytes of the body after which the client goes away; then there is no answer */
  send(
    method: string,
    target: string,
    body: Buffer = Buffer.alloc(0),
    headers: Readonly<Record<string, string>> = {},
    breakAfter?: number,
  ): Promise<Reply> {
    const [rawPath = '', rawQuery = ''] = target.split('?');
    const all = { host: `127.0.0.1:${this.#port}`, ...headers };
    const { headers: signed } = signRequest(
      { method, rawPath, rawQuery, headers: all },
      { kind: 'unsigned' },
      { accessKeyId: credentials.accessKeyId, secret, region, now: Date.now() },
    );
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          host: '127.0.0.1',
          port: this.#port,
          method,
          path: target,
          agent: this.#agent,
          headers: { 'content-length': String(body.length), ...all, ...signed },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const { etag = '', 'x-amz-version-id': version } = response.headers;
            const versionId = version?.toString();
            resolve({ status: response.statusCode ?? 0, etag, versionId, body: Buffer.concat(chunks) });
          });
        },
      );
      request.on('error', reject);
      if (breakAfter === undefined) request.end(body);
      else request.write(body.subarray(0, breakAfter), () => request.destroy(new BrokenOff()));
    });
  }
}

/** The client went away on purpose. */
export class BrokenOff extends Error {}
