import type { Finding } from '../../core/finding.ts';
import { firstTextAt, isVariable, textAt } from './configuration.ts';
import { withDefaults } from './variables.ts';
import { yamlValue } from './yaml.ts';

interface Place {
  readonly bucket: string | undefined;
  readonly prefix: string;
}

/** Loki and Tempo in one bucket: only with prefixes of which neither holds the other. */
export function checkSharedBucket(lokiText: string, tempoText: string): Finding[] {
  const loki = place(
    lokiText,
    [
      'storage_config.object_store.s3.bucket_name',
      'common.storage.object_store.s3.bucket_name',
      'storage_config.aws.bucketnames',
      'common.storage.s3.bucketnames',
    ],
    ['storage_config.object_store.storage_prefix', 'storage_config.object_prefix'],
  );
  const tempo = place(tempoText, ['storage.trace.s3.bucket'], ['storage.trace.s3.prefix']);
  if (loki.bucket === undefined || loki.bucket !== tempo.bucket || isVariable(loki.bucket)) return [];
  const inside = (a: string, b: string) => a === '' || b === a || b.startsWith(`${a}/`);
  const overlap = inside(loki.prefix, tempo.prefix) || inside(tempo.prefix, loki.prefix);
  const subject = `bucket ${loki.bucket}`;
  if (!overlap) {
    return [
      { id: 'shared-bucket', status: 'ok', subject, found: `Loki under ${loki.prefix}/, Tempo under ${tempo.prefix}/` },
    ];
  }
  return [
    {
      id: 'shared-bucket',
      status: 'fail',
      subject,
      found: 'Loki and Tempo share it without prefixes of their own',
      why: 'Tempo takes every top-level folder for a tenant: polling its blocks fails at Loki’s',
      advice: 'a bucket each, or storage_prefix: loki and prefix: tempo (new data only: what is there keeps its place)',
    },
  ];
}

function place(text: string, buckets: readonly string[], prefixes: readonly string[]): Place {
  // What is wrong with the YAML is said by the file's own check.
  const configuration = yamlValue(withDefaults(text));
  const prefix = prefixes.map((path) => textAt(configuration, path)).find((found) => found !== undefined) ?? '';
  return { bucket: firstTextAt(configuration, ...buckets), prefix: prefix.replace(/^\/+|\/+$/g, '') };
}
