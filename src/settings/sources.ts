import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import { type Declaration, declarations } from './declarations.ts';
import type { SettingProblem } from './errors.ts';
import { formatOrigin, type Origin } from './origin.ts';
import type { YamlSettings } from './yaml.ts';

/** One setting's text and where it came from. */
export interface RawValue {
  readonly text: string;
  readonly origin: Origin;
}

export interface Sources {
  /** By setting key (`endpoint`), as the command line parsed them. */
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly yaml: YamlSettings | undefined;
}

/** The largest value file that is read; keys and names are far smaller. */
const MAXIMUM_FILE_BYTES = 64 * 1024;

/** The text of each setting that is set, by precedence: flag, environment, NAME_FILE, bucketwright.yaml. Empty is unset. */
export function collect(sources: Sources, problems: SettingProblem[]): ReadonlyMap<string, RawValue> {
  const values = new Map<string, RawValue>();
  for (const declaration of declarations) {
    const value = find(declaration, sources, problems);
    if (value !== undefined) values.set(declaration.key, value);
  }
  return values;
}

function find(declaration: Declaration, sources: Sources, problems: SettingProblem[]): RawValue | undefined {
  const { env, flag, key } = declaration;
  const fromEnvironment = nonEmpty(sources.environment[env]);
  const path = nonEmpty(sources.environment[`${env}_FILE`]);
  if (fromEnvironment !== undefined && path !== undefined) {
    problems.push({
      name: env,
      origin: `environment ${env}, ${env}_FILE`,
      problem: `${env} and ${env}_FILE are both set; unset one of them`,
      example: undefined,
    });
  }
  const fromFlag = nonEmpty(sources.flags.get(key));
  if (fromFlag !== undefined) return { text: fromFlag, origin: { kind: 'flag', flag: flag ?? key } };
  if (fromEnvironment !== undefined) return { text: fromEnvironment, origin: { kind: 'environment', variable: env } };
  const fromYaml = sources.yaml?.values.get(key);
  if (path !== undefined) return readValueFile(declaration, { variable: `${env}_FILE`, path }, problems);
  if (fromYaml?.file) {
    const base = resolve(sources.yaml?.path ?? '.', '..');
    const file = { variable: `${declaration.yaml.join('.')}File`, path: resolve(base, fromYaml.text) };
    return readValueFile(declaration, file, problems);
  }
  return fromYaml;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

function readValueFile(
  declaration: Declaration,
  { variable, path }: { readonly variable: string; readonly path: string },
  problems: SettingProblem[],
): RawValue | undefined {
  const origin: Origin = { kind: 'file', variable, path };
  const refuse = (problem: string): undefined => {
    const advice = isAbsolute(path) ? '' : ' (the path is relative to the working directory)';
    problems.push({
      name: declaration.env,
      origin: formatOrigin(origin),
      problem: `${problem}${advice}`,
      example: undefined,
    });
  };
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAXIMUM_FILE_BYTES) return refuse('the file is larger than 64 KiB');
    const text = bytes.toString('utf8').trim();
    return text === '' ? refuse('the file is empty') : { text, origin };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return refuse('the file does not exist');
    if (code === 'EACCES' || code === 'EPERM') return refuse('the file may not be read by this user');
    if (code === 'EISDIR') return refuse('the path is a directory');
    return refuse(`the file cannot be read${code === undefined ? '' : ` (${code})`}`);
  }
}
