import { textAt } from '../check/configuration.ts';
import { yamlValue } from '../check/yaml.ts';

const prefixOf = (text: string): string =>
  textAt(yamlValue(text), 'storage_config.object_store.storage_prefix')?.replace(/^\/+|\/+$/g, '') ?? '';

/**
 * What to say when a file is rendered over one with another prefix, which covers every store of Loki, the disk too. Only
 * its user knows whether Loki ever ran with the old one, so this is no refusal.
 * @returns undefined where both have the same prefix
 */
export function prefixNote(path: string, before: string, after: string): string | undefined {
  const [was, is] = [prefixOf(before), prefixOf(after)];
  if (was === is) return undefined;
  const show = (prefix: string) => JSON.stringify(prefix);
  return `note       ${path}: storage_prefix was ${show(was)}, is ${show(is)}. If Loki has run with the old one, its logs are found no more: set S3_PREFIX_LOKI back, or see docs/how-to/roll-back.md ("Another prefix")`;
}
