import type { Finding } from '../../core/finding.ts';
import { type KeyTable, siblingKeys, unknownKeys } from '../keys/accepted.ts';
import { parseYaml } from './yaml.ts';

export type Program = 'loki' | 'tempo';

/** What was read of a configuration file, and what is wrong with the file as such. */
export interface ReadConfiguration {
  /** Undefined: the text is no YAML map. */
  readonly configuration: unknown;
  readonly findings: readonly Finding[];
}

/** Keys that people write although the program never had them, or has them no more; by the end of their path. */
export type Mistakes = Readonly<Record<string, string>>;

export function readConfiguration(
  program: Program,
  subject: string,
  text: string,
  table: KeyTable,
  mistakes: Mistakes,
): ReadConfiguration {
  const parsed = parseYaml(text);
  if ('problem' in parsed) {
    const found = `no YAML: ${parsed.problem}`;
    const why = `${program} does not start with this file`;
    return {
      configuration: undefined,
      findings: [{ id: `${program}-yaml`, status: 'fail', subject, found, why, advice: 'correct the line' }],
    };
  }
  const configuration = parsed.value;
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration)) {
    const found = 'the file holds no map of settings';
    const why = `${program} would run with its defaults, or not at all`;
    return {
      configuration: undefined,
      findings: [{ id: `${program}-yaml`, status: 'fail', subject, found, why, advice: 'is this the right file?' }],
    };
  }
  return { configuration, findings: keyFindings(program, subject, configuration, table, mistakes) };
}

function keyFindings(
  program: Program,
  subject: string,
  configuration: object,
  table: KeyTable,
  mistakes: Mistakes,
): Finding[] {
  const unknown = unknownKeys(table, configuration);
  if (unknown.length === 0) {
    return [{ id: `${program}-keys`, status: 'ok', subject, found: 'every key is one that the program knows' }];
  }
  return unknown.map((path) => {
    const known = Object.entries(mistakes).find(([end]) => path === end || path.endsWith(`.${end}`))?.[1];
    const near = nearest(path.split('.').at(-1) ?? '', siblingKeys(table, path));
    return {
      id: `${program}-keys`,
      // The reference leaves out a few hidden keys, so only a known mistake is certain.
      status: known === undefined ? 'warn' : 'fail',
      subject: `${subject}: ${path}`,
      found: 'not in the reference of the version that is supported',
      why: `${program} exits at an unknown key`,
      advice: known ?? (near === undefined ? 'remove it, or see where it moved' : `did you mean ${near}?`),
    };
  });
}

/** The key that looks most alike: the same letters but for case, dashes and underscores, or one within the other. */
function nearest(key: string, candidates: readonly string[]): string | undefined {
  const bare = (text: string) => text.toLowerCase().replace(/[_-]/g, '');
  const wanted = bare(key);
  const same = candidates.find((candidate) => bare(candidate) === wanted);
  return same ?? candidates.find((candidate) => bare(candidate).includes(wanted) || wanted.includes(bare(candidate)));
}
