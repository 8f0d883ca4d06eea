import type { SettingProblem } from '../../settings/index.ts';
import { harmlessOptions, refusedOptions } from './variables.ts';

/** `minio server`'s arguments, as they were written. */
export interface MinioArguments {
  readonly directories: readonly string[];
  /** `:9000`, `0.0.0.0:9000`; undefined: not given. */
  readonly address: string | undefined;
  readonly consoleAddress: string | undefined;
  /** Options that change nothing here. */
  readonly ignored: readonly string[];
  readonly problems: readonly SettingProblem[];
}

/**
 * Reads the arguments behind `minio server`: options with one or two dashes, values behind `=` or in the next argument,
 * in any order with the directories (urfave/cli, which MinIO uses). Never throws: what is wrong is in `problems`.
 */
export function parseMinioArguments(args: readonly string[]): MinioArguments {
  const directories: string[] = [];
  const ignored: string[] = [];
  const problems: SettingProblem[] = [];
  const given = new Map<string, string>();
  const refuse = (name: string, problem: string) =>
    problems.push({ name, origin: 'argument', problem, example: undefined });
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    const option = /^--?([A-Za-z][A-Za-z-]*)(?:=(.*))?$/s.exec(argument);
    if (option === null) {
      if (argument !== '--' && argument !== '') directories.push(argument);
      continue;
    }
    const [, name = '', inline] = option;
    const shown = argument.replace(/=.*/s, '');
    const refused = refusedOptions.get(name);
    const known =
      name === 'address' || name === 'console-address' ? 'value' : (harmlessOptions.get(name) ?? refused?.[0]);
    const value = inline ?? (known === 'value' ? args[at + 1] : undefined);
    if (known === 'value' && inline === undefined) at += 1;
    if (refused !== undefined) refuse(shown, refused[1]);
    else if (known === undefined) refuse(shown, 'is no option that this server has');
    else if (known === 'value' && (value === undefined || value === '')) refuse(shown, 'needs a value');
    else if (harmlessOptions.has(name)) ignored.push(shown);
    else if (value !== undefined) given.set(name, value);
  }
  return {
    directories,
    ignored,
    problems,
    address: given.get('address'),
    consoleAddress: given.get('console-address'),
  };
}

/** Why a list of directories cannot be served, each with its name; undefined when it is a single plain one. */
export function directoryProblem(directories: readonly string[]): string | undefined {
  const urls = directories.filter((directory) => /^[a-z]+:\/\//i.test(directory));
  if (urls.length > 0) return `${urls.join(' ')}: several servers as one (distributed mode) is not supported`;
  if (directories.some((directory) => /\{\d+\.\.\.\d+\}/.test(directory))) {
    return `${directories.join(' ')}: several directories (erasure coding) are not supported; name one`;
  }
  if (directories.length > 1) {
    return `${directories.join(' ')}: several directories (erasure coding) are not supported; name one`;
  }
  return undefined;
}
