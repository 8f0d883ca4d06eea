import { RenderError } from '../../stack/index.ts';
import { listAt } from '../check/configuration.ts';
import { yamlValue } from '../check/yaml.ts';

/**
 * Rendering starts a schema with one period. Over a file that has others (a migration appended them), that would hide
 * the logs of their days, so it is refused.
 * @throws RenderError when `before` has schema periods that `after` does not have
 */
export function refuseLostPeriods(path: string, before: string, after: string): void {
  const kept = new Set(periods(after).map((period) => JSON.stringify(period)));
  const lost = periods(before).filter((period) => !kept.has(JSON.stringify(period)));
  if (lost.length === 0) return;
  throw new RenderError(`${path} has ${lost.length} schema periods that rendering would drop`, {
    subject: path,
    advice: 'their logs would vanish from queries: use `bucketwright observability migrate`, or move the file away',
  });
}

const periods = (text: string): readonly unknown[] => listAt(yamlValue(text), 'schema_config.configs') ?? [];
