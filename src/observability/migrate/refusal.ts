import { type Mistakes, type Program, readConfiguration } from '../check/read.ts';
import { withDefaults } from '../check/variables.ts';
import type { KeyTable } from '../keys/accepted.ts';
import { MigrationError } from './errors.ts';

/** What a refusal throws: where, what, what to do. */
export function refusal(subject: string, message: string, advice: string): MigrationError {
  return new MigrationError(`${subject}: ${message}`, { subject, advice: `${advice}; nothing was written` });
}

/**
 * The configuration in a file.
 * @throws MigrationError with one line that names the first thing that is wrong: no YAML, a key that is unknown or gone
 */
export function readOrRefuse(
  program: Program,
  subject: string,
  text: string,
  table: KeyTable,
  mistakes: Mistakes,
): unknown {
  const { configuration, findings } = readConfiguration(program, subject, withDefaults(text), table, mistakes);
  const bad = findings.find(({ status }) => status !== 'ok');
  if (bad === undefined) return configuration;
  const path = bad.subject.startsWith(`${subject}: `) ? `${bad.subject.slice(subject.length + 2)}: ` : '';
  throw refusal(subject, `${path}${bad.found}`, bad.advice ?? 'correct it first');
}
