import { Agent as HttpsAgent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Connection } from '../providers/index.ts';
import { budgetOf } from './budget/index.ts';

export interface TransportOptions {
  /** Milliseconds for TCP and TLS. Default 5,000. */
  readonly connectMs?: number | undefined;
  /** Milliseconds without a byte in either direction. Default 60,000. */
  readonly idleMs?: number | undefined;
  /** Connections at once. Default 64. */
  readonly sockets?: number | undefined;
  /** Attempts of one request, the first included. Default 3. */
  readonly attempts?: number | undefined;
}

export type ChecksumMode = 'when-required' | 'when-supported';

/**
 * The SDK's client for one connection. Whatever the SDK would look up in AWS_* variables or ~/.aws is decided here, so
 * that a machine's AWS profile cannot change where our requests go.
 */
export function createTransport(
  connection: Connection,
  checksums: ChecksumMode,
  options: TransportOptions = {},
): S3Client {
  const { accessKeyId, secretAccessKey } = connection.credentials;
  const budget = budgetOf(connection);
  const agent = budget.agent(options.sockets ?? 64);
  const mode = checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
  const client = new S3Client({
    endpoint: connection.endpoint.url,
    region: connection.region,
    credentials: async () => ({ accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() }),
    forcePathStyle: connection.forcePathStyle,
    requestChecksumCalculation: mode,
    responseChecksumValidation: mode,
    maxAttempts: options.attempts ?? 3,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    useArnRegion: false,
    useAccelerateEndpoint: false,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    followRegionRedirects: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: options.connectMs ?? 5_000,
      socketTimeout: options.idleMs ?? 60_000,
      ...(agent instanceof HttpsAgent ? { httpsAgent: agent } : { httpAgent: agent }),
    }),
  });
  // Within the retries, so that each attempt is counted.
  client.middlewareStack.add(
    (next) => async (args) => {
      await budget.take();
      return next(args);
    },
    { step: 'finalizeRequest', name: 'requestBudget', tags: ['BUDGET'], priority: 'low' },
  );
  // The SDK names the signing region in CreateBucket, which Ceph and others refuse when it is not their own name for it.
  if (connection.provider.locationConstraint === 'omit') client.middlewareStack.remove('locationConstraintMiddleware');
  return client;
}
