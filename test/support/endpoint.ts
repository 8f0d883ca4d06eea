import { startServer } from './server.ts';

/** An S3 endpoint and keys that may do anything there. */
export interface S3Endpoint {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface DisposableEndpoint extends S3Endpoint, AsyncDisposable {}

/** `url` taken apart, with the keys beside it. */
export function endpointOf(url: string, region: string, accessKeyId: string, secretAccessKey: string): S3Endpoint {
  const { hostname, port, origin } = new URL(url);
  return { url: origin, host: hostname, port: Number(port), region, accessKeyId, secretAccessKey };
}

/**
 * What the client tests talk to: the built server, started for the caller; or, for telling a client's habit from our
 * fault, the S3 that `TEST_S3_ENDPOINT`, `TEST_S3_REGION`, `TEST_S3_ACCESS_KEY_ID` and `TEST_S3_SECRET_ACCESS_KEY` name.
 */
export async function testEndpoint(): Promise<DisposableEndpoint> {
  const { TEST_S3_ENDPOINT: url, TEST_S3_REGION, TEST_S3_ACCESS_KEY_ID, TEST_S3_SECRET_ACCESS_KEY } = process.env;
  if (!url) return startServer();
  if (!TEST_S3_ACCESS_KEY_ID || !TEST_S3_SECRET_ACCESS_KEY) {
    throw new Error('TEST_S3_ENDPOINT is set: TEST_S3_ACCESS_KEY_ID and TEST_S3_SECRET_ACCESS_KEY must be too');
  }
  return {
    ...endpointOf(url, TEST_S3_REGION || 'us-east-1', TEST_S3_ACCESS_KEY_ID, TEST_S3_SECRET_ACCESS_KEY),
    [Symbol.asyncDispose]: async () => {},
  };
}

let counter = 0;

/** A bucket name nobody used before: valid, short, and telling whose it is. */
export function bucketName(purpose: string): string {
  counter += 1;
  return `${purpose}-${process.pid.toString(36)}-${Date.now().toString(36)}-${counter}`;
}

/** This process's environment without any S3 or AWS setting that could point a client somewhere else. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const foreign = /^(AWS_|S3_|BUCKETWRIGHT_|RCLONE_|RESTIC_|MC_|RETENTION_|https?_proxy$|all_proxy$)/i;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}
