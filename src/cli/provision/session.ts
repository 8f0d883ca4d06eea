import type { Command } from 'commander';
import type { BucketClient } from '../../client/index.ts';
import { type Connection, resolveConnection } from '../../providers/index.ts';
import type { Settings } from '../../settings/index.ts';
import { type CliContext, loadSettings } from '../context.ts';

export interface Session {
  readonly settings: Settings;
  readonly connection: Connection;
  readonly client: BucketClient;
  /** For people: `https://fsn1.your-objectstorage.com (hetzner)`. */
  readonly where: string;
}

/**
 * Runs with a client for the S3 API that the settings name. On the filesystem there is nothing to provision, which is said
 * and no failure.
 */
export async function withSession(
  command: Command,
  context: CliContext,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  const settings = loadSettings(command, context);
  if (settings.storage.kind === 'filesystem') {
    context.err.write(`${settings.storage.notice}; there is nothing to provision\n`);
    return;
  }
  const connection = resolveConnection(settings.storage);
  // Not by the folder's index: the AWS SDK behind that takes longer to load than a plan takes.
  const { createBucketClient } = await import('../../client/configuration/bucket-client.ts');
  const client = createBucketClient(connection);
  try {
    await run({ settings, connection, client, where: `${connection.endpoint.url} (${connection.provider.name})` });
  } finally {
    client.close();
  }
}
