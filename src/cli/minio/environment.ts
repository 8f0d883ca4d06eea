import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingProblem } from '../../settings/index.ts';
import { harmlessVariables, refusedVariables } from './variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** MinIO's variables in the order in which they count, and the setting that each is here. */
const settingOf: readonly (readonly [variable: string, setting: string])[] = [
  ['MINIO_ROOT_USER', 'S3_ACCESS_KEY_ID'],
  ['MINIO_ACCESS_KEY', 'S3_ACCESS_KEY_ID'],
  ['MINIO_ROOT_PASSWORD', 'S3_SECRET_ACCESS_KEY'],
  ['MINIO_SECRET_KEY', 'S3_SECRET_ACCESS_KEY'],
  ['MINIO_SITE_REGION', 'S3_REGION'],
  ['MINIO_REGION', 'S3_REGION'],
  ['MINIO_REGION_NAME', 'S3_REGION'],
  ['MINIO_DOMAIN', 'BUCKETWRIGHT_DOMAIN'],
];

/** Read by others of this folder. */
const otherwiseRead = [
  'MINIO_DEFAULT_BUCKETS',
  'MINIO_VOLUMES',
  'MINIO_ADDRESS',
  'MINIO_CONSOLE_ADDRESS',
  'MINIO_DATA_DIR',
  'MINIO_API_PORT_NUMBER',
  'MINIO_CONSOLE_PORT_NUMBER',
];

export interface MinioEnvironment {
  /** The process's environment with MinIO's variables as settings of ours. */
  readonly settings: Environment;
  /** The variable that a setting came from, by the setting's name, to name it in messages. */
  readonly renamed: ReadonlyMap<string, string>;
  /** MinIO's variables that are set and change nothing here. */
  readonly ignored: readonly string[];
  readonly problems: readonly SettingProblem[];
}

/**
 * Translates the variables of MinIO's images. Its root user counts before S3_ACCESS_KEY_ID, which in a stack's common
 * environment is some client's; a pair is never mixed from both. Names are judged, values are not: the settings do that.
 */
export function translateEnvironment(environment: Environment, secrets = '/run/secrets'): MinioEnvironment {
  const settings: Record<string, string | undefined> = { ...environment };
  const renamed = new Map<string, string>();
  const isSet = (name: string) => (environment[name] ?? '').trim() !== '';
  const used = settingOf.filter(([variable]) => isSet(variable) || isSet(`${variable}_FILE`));
  const replaced = new Set(used.map(([, setting]) => setting));
  if (replaced.has('S3_ACCESS_KEY_ID') || replaced.has('S3_SECRET_ACCESS_KEY')) {
    replaced.add('S3_ACCESS_KEY_ID').add('S3_SECRET_ACCESS_KEY');
  }
  for (const setting of replaced) {
    settings[setting] = undefined;
    settings[`${setting}_FILE`] = undefined;
    const first = settingOf.find(([, candidate]) => candidate === setting);
    if (first !== undefined) renamed.set(setting, first[0]);
  }
  const taken = new Set<string>();
  for (const [variable, setting] of used) {
    if (taken.has(setting)) continue;
    taken.add(setting);
    renamed.set(setting, variable);
    settings[setting] = environment[variable];
    const file = environment[`${variable}_FILE`];
    settings[`${setting}_FILE`] = file === undefined ? undefined : secretPath(file.trim(), secrets);
  }
  return { settings, renamed, ...judge(environment, isSet) };
}

/** MinIO's images take the bare name of a secret as well as a path. */
function secretPath(file: string, secrets: string): string {
  return file === '' || file.includes('/') || existsSync(file) ? file : join(secrets, file);
}

function judge(environment: Environment, isSet: (name: string) => boolean) {
  const read = new Set([...settingOf.flatMap(([name]) => [name, `${name}_FILE`]), ...otherwiseRead]);
  const ignored: string[] = [];
  const problems: SettingProblem[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (!name.startsWith('MINIO_') || !isSet(name) || read.has(name)) continue;
    const refused = refusedVariables.find(([prefix]) => name.startsWith(prefix));
    const switchedOff = /^(?:off|no|false|0)$/i.test(environment[name]?.trim() ?? '');
    const asks = name === 'MINIO_DISTRIBUTED_MODE_ENABLED' || name === 'MINIO_SCHEME';
    if (asks && !switchedOff && environment[name]?.trim() !== 'http') {
      const what = name === 'MINIO_SCHEME' ? 'TLS is not supported' : 'several servers as one is not supported';
      problems.push({ name, origin: `environment ${name}`, problem: what, example: undefined });
    } else if (refused === undefined) ignored.push(name);
    else if (!switchedOff) {
      problems.push({ name, origin: `environment ${name}`, problem: refused[1], example: undefined });
    }
  }
  return { ignored, problems };
}

/** Whether a variable is known to be harmless; others are named in the log as unknown. */
export function isHarmless(name: string): boolean {
  return harmlessVariables.some((prefix) => name.startsWith(prefix));
}
