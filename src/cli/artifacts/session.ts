import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { Artifact, ArtifactSource, ArtifactStore } from '../../artifacts/index.ts';
import { parseDuration } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import { resolveConnection } from '../../providers/index.ts';
import { type CliContext, loadSettings, noun, withSettings } from '../context.ts';
import { type ApiOptionsOfCli, apiClientOf } from './api.ts';

export interface ArtifactOptions {
  readonly tenant?: string;
  readonly json?: boolean;
}

/** A verb of `artifact`, with the options that all have. */
export function artifactVerb(program: Command, usage: string, description: string): Command {
  const parent = noun(program, 'artifact', 'Immutable versions, channels that point at them, and what runs where.');
  return withSettings(parent.command(usage))
    .description(description)
    .option('--tenant <id>', "the tenant's own store, below tenants/<id>/")
    .option('--json', 'print JSON');
}

/** Runs with the store that the settings name, and closes its connections. @throws UsageError without S3 */
export async function withStore<T>(
  command: Command,
  context: CliContext,
  { tenant }: ArtifactOptions,
  use: (store: ArtifactStore) => Promise<T>,
): Promise<T> {
  const { store, close } = await storesOf(command, context);
  try {
    return await use(store(tenant));
  } finally {
    close();
  }
}

/** Runs with where artifacts are read from: the HTTP API where one is named, else S3. @throws UsageError */
export async function withSource<T>(
  command: Command,
  context: CliContext,
  options: ArtifactOptions & ApiOptionsOfCli,
  use: (source: ArtifactSource) => Promise<T>,
): Promise<T> {
  const { api, tenant } = options;
  if (api === undefined) return withStore(command, context, options, ({ source }) => use(source));
  if (tenant !== undefined) {
    throw new UsageError('--tenant and --api exclude each other', { advice: 'the token says whose store it reads' });
  }
  return use((await apiClientOf({ ...options, api })).source);
}

/** The stores of all tenants, over one client. @throws UsageError without S3 */
export async function storesOf(
  command: Command,
  context: CliContext,
): Promise<{ readonly store: (tenant: string | undefined) => ArtifactStore; readonly close: () => void }> {
  const { storage, buckets } = loadSettings(command, context);
  if (storage.kind === 'filesystem') {
    throw new UsageError('there is no bucket for artifacts: S3_ENDPOINT is not set', {
      subject: 'S3_ENDPOINT',
      advice: 'set it; `bucketwright serve` is an S3 of your own',
    });
  }
  const { createClient } = await import('../../client/index.ts');
  const { artifacts } = await import('../../artifacts/index.ts');
  const connection = resolveConnection(storage);
  const client = createClient(connection);
  const { bucket, prefix } = buckets.artifacts;
  const { provider } = connection;
  return { store: (tenant) => artifacts({ client, bucket, prefix, provider, tenant }), close: () => client.close() };
}

/** Who did it, where nobody is named: the CI's user, else the system's. */
export function whoAmI({ environment }: CliContext): string {
  const named = environment.GITHUB_ACTOR ?? environment.GITLAB_USER_LOGIN ?? environment.USER;
  return named !== undefined && named !== '' ? named : userInfo().username;
}

export const printJson = (context: CliContext, value: unknown) =>
  void context.out.write(`${JSON.stringify(value, null, 2)}\n`);

/** Facts of an artifact, one a line. */
export function artifactText(artifact: Artifact): string {
  const { content } = artifact;
  const lines: [string, string | undefined][] = [
    ['version', `${artifact.name}:${artifact.version}`],
    ['digest', artifact.digest],
    ['content', `${content.digest}, ${formatBytes(content.size)}, ${content.mediaType}`],
    ['title', content.title],
    ['kind', artifact.kind],
    ['created', artifact.created],
    ['creator', artifact.creator],
    ['revision', artifact.revision],
    ...Object.entries(artifact.labels).map(([key, value]): [string, string] => ['label', `${key}=${value}`]),
  ];
  return lines.flatMap(([key, value]) => (value === undefined ? [] : [`${key.padEnd(9)} ${value}\n`])).join('');
}

/** An option's duration in milliseconds. */
export function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value === 0) throw new InvalidArgumentError('must be a duration such as 15m.');
  return value;
}

export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}
