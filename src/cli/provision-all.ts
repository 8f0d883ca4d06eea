import { createClient } from '../client/index.ts';
import type { Connection } from '../providers/index.ts';
import { type ProvisionResult, provisionBuckets, waitForEndpoint } from '../provision/index.ts';
import type { CliContext } from './context.ts';
import { exitCodeFor } from './exit.ts';
import { formatError } from './output.ts';

interface ProvisionOptions {
  /** How long to wait for the endpoint. */
  readonly milliseconds: number;
  readonly json: boolean;
}

/** Creates the buckets and prints what became of each. Answers whether all are there now. */
export async function provisionAll(
  connection: Connection,
  buckets: readonly string[],
  { milliseconds, json }: ProvisionOptions,
  context: CliContext,
): Promise<boolean> {
  const client = createClient(connection, { idleMs: 15_000 });
  try {
    const onWaiting = () => void context.err.write(`waiting for ${connection.endpoint.url} to come up\n`);
    if (buckets[0] !== undefined) await waitForEndpoint(client, buckets[0], { milliseconds, onWaiting });
    const results: ProvisionResult[] = [];
    for await (const result of provisionBuckets(client, buckets)) {
      results.push(result);
      if (!json) context.out.write(`${line(result, context)}\n`);
      if ('error' in result) {
        context.err.write(`${formatError(result.error)}\n`);
        context.exit(exitCodeFor(result.error));
      }
    }
    if (json) {
      const rows = results.map(({ bucket, outcome, ...rest }) => ({
        bucket,
        outcome,
        ...('error' in rest ? { code: rest.error.code, advice: rest.error.advice } : {}),
      }));
      context.out.write(
        `${JSON.stringify({ storage: 's3', endpoint: connection.endpoint.url, buckets: rows }, null, 2)}\n`,
      );
    }
    return results.every((result) => !('error' in result));
  } finally {
    client.close();
  }
}

function line({ bucket, outcome }: ProvisionResult, { colors }: CliContext): string {
  switch (outcome) {
    case 'created':
      return `${colors.green('created')}  ${bucket}`;
    case 'exists':
      return `${colors.dim('exists')}   ${bucket}`;
    case 'owned-by-other':
      return `${colors.red('taken')}    ${bucket}: owned by someone else`;
    case 'failed':
      return `${colors.red('failed')}   ${bucket}`;
  }
}
