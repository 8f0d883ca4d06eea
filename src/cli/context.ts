import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { systemErrorCode, UsageError } from '../core/errors.ts';
import { declarations, parseSettings, type Settings, type SettingsInput } from '../settings/index.ts';

/** What a command gets from the process it runs in. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Machine-readable output and what a command was asked to print. */
  readonly out: NodeJS.WriteStream;
  /** Messages. */
  readonly err: NodeJS.WriteStream;
  /** Colours, or none: NO_COLOR, or standard output is no terminal. */
  readonly colors: ReturnType<typeof pc.createColors>;
  /** Sets the code the process ends with; the first that is not 0 stays. */
  exit(code: number): void;
}

export type Register = (program: Command, context: CliContext) => void;

export function processContext(): CliContext {
  const { env, stdout, stderr } = process;
  return {
    environment: env,
    out: stdout,
    err: stderr,
    colors: pc.createColors(stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'),
    exit(code) {
      if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = code;
    },
  };
}

/** The command of a noun (`config` of `config show`), made when its first verb asks for it. */
export function noun(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

/** Adds `--config` and an option for each setting that has a flag. */
export function withSettings(command: Command): Command {
  command.addOption(
    new Option('--config <file>', 'the bucketwright.yaml to read').default(
      undefined,
      './bucketwright.yaml if it exists',
    ),
  );
  command.option('--environment <name>', "whose part of the file's environments counts [BUCKETWRIGHT_ENVIRONMENT]");
  for (const { flag, env, help, json } of declarations) {
    if (flag === undefined) continue;
    const option = new Option(`${flag} ${json.type === 'boolean' ? '[yes]' : '<value>'}`, `${help} [${env}]`);
    if (json.type === 'boolean') option.preset('true');
    command.addOption(option.helpGroup('Settings (flag, environment, NAME_FILE, bucketwright.yaml; in this order):'));
  }
  return command;
}

/** The flags of a command that `withSettings` prepared, by setting key. */
export function settingFlags(command: Command): ReadonlyMap<string, string> {
  const values: Record<string, unknown> = command.opts();
  const flags = new Map<string, string>();
  for (const { key, flag } of declarations) {
    const option = command.options.find((candidate) => candidate.long === flag);
    const value = option === undefined ? undefined : values[option.attributeName()];
    if (typeof value === 'string') flags.set(key, value);
  }
  return flags;
}

/**
 * The settings a command runs with.
 * @throws SettingsError
 */
export function loadSettings(command: Command, context: CliContext, role: 'client' | 'server' = 'client'): Settings {
  return parseSettings(settingsInput(command, context, role));
}

export function settingsInput(command: Command, context: CliContext, role: 'client' | 'server'): SettingsInput {
  return {
    flags: settingFlags(command),
    environment: context.environment,
    yaml: readConfiguration(configPath(command, context)),
    role,
    overlay: environmentName(command),
  };
}

/** `--environment`; what BUCKETWRIGHT_ENVIRONMENT says counts where it is absent. */
function environmentName(command: Command): string | undefined {
  const { environment }: Record<string, unknown> = command.opts();
  return typeof environment === 'string' && environment !== '' ? environment : undefined;
}

/** `--config`, else BUCKETWRIGHT_CONFIG; undefined: ./bucketwright.yaml where there is one. */
export function configPath(command: Command, context: CliContext): string | undefined {
  const values: Record<string, unknown> = command.opts();
  const named = values.config ?? context.environment.BUCKETWRIGHT_CONFIG;
  return typeof named === 'string' && named !== '' ? named : undefined;
}

function readConfiguration(named: string | undefined): { readonly path: string; readonly text: string } | undefined {
  const path = named ?? 'bucketwright.yaml';
  try {
    return { path, text: readFileSync(resolve(path), 'utf8') };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' && named === undefined) return undefined;
    throw new UsageError(`${path} cannot be read (${code ?? 'unknown'})`, {
      subject: path,
      advice: 'check --config, BUCKETWRIGHT_CONFIG and the permissions of the file',
      cause: error,
    });
  }
}
