import { declarations, type SettingValues } from './declarations.ts';
import type { SettingProblem } from './errors.ts';
import { formatOrigin, type Origin } from './origin.ts';
import type { FilesystemStorage, S3Storage } from './settings.ts';

interface StorageContext {
  readonly values: SettingValues;
  /** Whether somebody set it, well or badly. */
  set(key: string): boolean;
  origin(key: string): Origin;
  readonly problems: SettingProblem[];
}

const required = ['endpoint', 'accessKeyId', 'secretAccessKey'] as const;

/**
 * Decides between an S3 API and the filesystem. One connection setting means that S3 is wanted; what is then missing is
 * named, since half a configuration must never fall back to the disk in silence.
 * @returns undefined when there are problems
 */
export function storageFrom(
  context: StorageContext,
  role: 'client' | 'server',
): S3Storage | FilesystemStorage | undefined {
  const { values, problems } = context;
  const given = declarations.filter(({ key, connection }) => connection && context.set(key));
  const needed = role === 'client' ? required : keyPairWhenOneIsSet(context);
  const missing = given.length === 0 ? [] : needed.filter((key) => !context.set(key));
  for (const key of missing) {
    const declaration = declarations.find((candidate) => candidate.key === key);
    if (declaration === undefined) continue;
    const because = given.map(({ env, key: other }) => `${env} (${formatOrigin(context.origin(other))})`).join(', ');
    problems.push({
      name: declaration.env,
      origin: 'unset',
      problem: `is missing, while S3 is configured by ${because}; set it, or unset those to use the local filesystem`,
      example: declaration.secret ? declaration.example : `${declaration.env}=${declaration.example}`,
    });
  }
  const { endpoint, accessKeyId, secretAccessKey } = values;
  if (endpoint !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined) {
    return {
      kind: 's3',
      endpoint,
      credentials: { accessKeyId, secretAccessKey },
      region: values.region,
      forcePathStyle: values.forcePathStyle,
      insecure: values.insecure ?? false,
      provider: values.provider,
    };
  }
  return problems.length > 0 ? undefined : { kind: 'filesystem', notice: filesystemNotice(context) };
}

function keyPairWhenOneIsSet(context: StorageContext): readonly (typeof required)[number][] {
  const pair = ['accessKeyId', 'secretAccessKey'] as const;
  return pair.some((key) => context.set(key)) ? pair : [];
}

function filesystemNotice(context: StorageContext): string {
  const idle = declarations.filter(({ env, key }) => /^S3_(?:BUCKET|PREFIX)_/.test(env) && context.set(key));
  const without = idle.map(({ env }) => env).join(', ');
  return `no S3 endpoint is set: objects stay on the local filesystem${without === '' ? '' : `; without an endpoint ${without} has no effect`}`;
}
