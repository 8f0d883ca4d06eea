import { parseBucketName, type SettingProblem } from '../../settings/index.ts';

export interface WantedBuckets {
  readonly names: readonly string[];
  readonly problems: readonly SettingProblem[];
}

/** Our own variable; MinIO's place also takes that of Bitnami's MinIO image. */
export const BUCKETS_VARIABLE = 'BUCKETWRIGHT_BUCKETS';

/**
 * The buckets that a server is to make at its start: names separated by commas, semicolons or spaces. In Bitnami's
 * variable a name may carry an anonymous access policy (`photos:download`); only `none` exists here.
 */
export function bucketsOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  variables: readonly string[] = [BUCKETS_VARIABLE],
): WantedBuckets {
  const names = new Set<string>();
  const problems: SettingProblem[] = [];
  for (const variable of variables) {
    const entries = (environment[variable] ?? '').split(/[\s,;]+/).filter((entry) => entry !== '');
    for (const entry of entries) {
      const refuse = (problem: string) =>
        problems.push({ name: variable, origin: `environment ${variable}`, problem, example: 'photos,backups' });
      const [name = '', policy = 'none', ...rest] = entry.split(':');
      const parsed = parseBucketName(name);
      if (!parsed.ok) refuse(`"${name}" ${parsed.problem}`);
      else if (policy !== 'none' || rest.length > 0) refuse(`${entry}: access without a key is not supported`);
      else names.add(name);
    }
  }
  return { names: [...names], problems };
}
