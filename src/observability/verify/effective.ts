import type { Connection } from '../../providers/index.ts';
import type { BucketTarget } from '../../settings/index.ts';
import { firstTextAt, listAt, textAt } from '../check/configuration.ts';
import { yamlValue } from '../check/yaml.ts';

/** Where a running program says it keeps its objects. */
export interface EffectiveStore {
  /** `s3`, `filesystem`, `local` or whatever else it says. */
  readonly kind: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** Reads what Loki answers at `/config`. @param now milliseconds since 1970; a period in the future does not count */
export function lokiStore(text: string, now: number): EffectiveStore {
  const configuration = yamlValue(text);
  const periods = listAt(configuration, 'schema_config.configs') ?? [];
  const begun = periods.filter((period) => Date.parse(textAt(period, 'from') ?? '') <= now);
  const kind = textAt(begun.at(-1), 'object_store') ?? '';
  const thanos = textAt(configuration, 'storage_config.use_thanos_objstore') === 'true';
  if (!thanos) {
    return {
      kind: kind === 'aws' ? 's3' : kind,
      endpoint: firstTextAt(configuration, 'storage_config.aws.endpoint', 'common.storage.s3.endpoint') ?? '',
      bucket: firstTextAt(configuration, 'storage_config.aws.bucketnames', 'common.storage.s3.bucketnames') ?? '',
      prefix: textAt(configuration, 'storage_config.object_prefix') ?? '',
    };
  }
  const store = 'storage_config.object_store';
  return {
    kind,
    endpoint: textAt(configuration, `${store}.s3.endpoint`) ?? '',
    bucket: textAt(configuration, `${store}.s3.bucket_name`) ?? '',
    prefix: textAt(configuration, `${store}.storage_prefix`) ?? '',
  };
}

/** Reads what Tempo answers at `/status/config`: YAML after a heading, `GET /status/config` and three dashes. */
export function tempoStore(text: string): EffectiveStore {
  const configuration = yamlValue(text.replace(/^GET [^\n]*\n---\n/, ''));
  const trace = 'storage.trace';
  return {
    kind: textAt(configuration, `${trace}.backend`) ?? '',
    endpoint: textAt(configuration, `${trace}.s3.endpoint`) ?? '',
    bucket: textAt(configuration, `${trace}.s3.bucket`) ?? '',
    prefix: textAt(configuration, `${trace}.s3.prefix`) ?? '',
  };
}

/**
 * One line for each thing that the program does otherwise than the settings say. The endpoint is not compared: within
 * a compose project it has another name than from outside.
 */
export function differences(
  store: EffectiveStore,
  connection: Connection | undefined,
  target: BucketTarget,
): readonly string[] {
  const wanted = connection === undefined ? 'the disk' : 's3';
  if ((store.kind === 's3') !== (connection !== undefined)) {
    return [`it writes to ${store.kind || 'an unknown store'}, the settings say ${wanted}`];
  }
  if (store.kind !== 's3') return [];
  const lines: string[] = [];
  if (store.bucket !== target.bucket)
    lines.push(`it writes to bucket ${store.bucket}, the settings say ${target.bucket}`);
  const bare = store.prefix.replace(/^\/+|\/+$/g, '');
  if (bare !== target.prefixName) {
    lines.push(`it writes under prefix ${JSON.stringify(bare)}, the settings say ${JSON.stringify(target.prefixName)}`);
  }
  return lines;
}
