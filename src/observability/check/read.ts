import type { Finding } from '../../core/finding.ts';
import { type KeyTable, siblingKeys, unknownKeys } from '../keys/accepted.ts';
import { parseYaml } from './yaml.ts';

export type Program = 'loki' | 'tempo';

/** Those whose keys are known: the ones that are rendered for. */
const versions = { loki: 'Loki 3.7', tempo: 'Tempo 3.0' } as const;

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
    const advice = `name ${program}'s own configuration file`;
    return {
      configuration: undefined,
      findings: [{ id: `${program}-yaml`, status: 'fail', subject, found, why, advice }],
    };
  }
  const other = kindOf(configuration);
  if (other !== undefined && other.program !== program) {
    const found = `this is ${other.title}, not ${program}'s configuration`;
    const why = `${program} does not start with this file`;
    return {
      configuration: undefined,
      findings: [{ id: `${program}-yaml`, status: 'fail', subject, found, why, advice: other.advice }],
    };
  }
  return { configuration, findings: keyFindings(program, subject, configuration, table, mistakes) };
}

/** What only one kind of file has, so that a mistaken option is told once instead of as twenty unknown keys. */
const kinds = [
  {
    program: 'loki',
    title: "Loki's configuration",
    keys: ['schema_config', 'storage_config', 'limits_config'],
    advice: 'name it with --loki',
  },
  {
    program: 'tempo',
    title: "Tempo's configuration",
    keys: ['storage', 'backend_worker', 'live_store', 'metrics_generator'],
    advice: 'name it with --tempo',
  },
  { program: undefined, title: 'a compose file', keys: ['services'], advice: 'name it with --compose' },
] as const;

/** The kind of file it is, where the keys tell of one alone. */
function kindOf(configuration: object): (typeof kinds)[number] | undefined {
  const [first, ...others] = kinds.filter(({ keys }) => keys.some((key) => Object.hasOwn(configuration, key)));
  return others.length === 0 ? first : undefined;
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
      status: 'fail',
      subject: `${subject}: ${path}`,
      found: `no key of ${versions[program]}`,
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
