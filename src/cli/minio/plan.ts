import {
  type ListenAddress,
  parseListenAddress,
  type SettingProblem,
  type Settings,
  SettingsError,
} from '../../settings/index.ts';
import { directoryProblem, parseMinioArguments } from './arguments.ts';
import { defaultBuckets } from './buckets.ts';
import { type Environment, isHarmless, translateEnvironment } from './environment.ts';

/** What `minio server …` asks for, in our terms. */
export interface MinioPlan {
  readonly settings: Settings;
  /** Undefined: no console address was given, nothing listens for it. */
  readonly console: ListenAddress | undefined;
  /** Of MINIO_DEFAULT_BUCKETS; those of our own setting are in `settings`. */
  readonly buckets: readonly string[];
  /** MinIO without a region takes requests signed for any. */
  readonly anyRegion: boolean;
  /** What a person should know, a line each; never a secret. */
  readonly warnings: readonly string[];
}

/** Where Bitnami's image keeps its data. */
const BITNAMI_DATA = '/bitnami/minio/data';

export interface PlanInput {
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Whether a directory is there: Bitnami's data directory is where its compose files mount the volume. */
  exists(path: string): boolean;
  /** Reads the settings, with these flags and this environment. @throws SettingsError */
  parse(flags: ReadonlyMap<string, string>, environment: Environment): Settings;
}

/** @throws SettingsError that lists everything unsupported or wrong at once */
export function planMinio({ args, environment, exists, parse }: PlanInput): MinioPlan {
  const given = parseMinioArguments(args);
  const translated = translateEnvironment(environment);
  const buckets = defaultBuckets(environment);
  const problems: SettingProblem[] = [...given.problems, ...translated.problems, ...buckets.problems];
  const text = (name: string) => environment[name]?.trim() || undefined;
  const refuse = (name: string, origin: string, problem: string, example?: string) =>
    problems.push({ name, origin, problem, example });

  const volumes = text('MINIO_VOLUMES')?.split(/\s+/) ?? [];
  const directories = given.directories.length > 0 ? given.directories : volumes;
  const wrong = directoryProblem(directories);
  if (wrong !== undefined)
    refuse('the data directory', given.directories.length > 0 ? 'argument' : 'MINIO_VOLUMES', wrong);
  const data =
    directories[0] ??
    text('MINIO_DATA_DIR') ??
    (exists(BITNAMI_DATA) ? BITNAMI_DATA : undefined) ??
    text('BUCKETWRIGHT_DATA');
  if (data === undefined) refuse('the data directory', 'argument', 'is missing', 'minio server /data');

  const address = (name: string, written: string | undefined): ListenAddress | undefined => {
    if (written === undefined) return undefined;
    const parsed = parseListenAddress(written.startsWith(':') ? `0.0.0.0${written}` : written);
    if (parsed.ok) return parsed.value;
    refuse(name, 'argument', `${written} ${parsed.problem}`, ':9000');
    return undefined;
  };
  const port = (name: string) => (text(name) === undefined ? undefined : `:${text(name)}`);
  const listen =
    given.address ?? text('MINIO_ADDRESS') ?? port('MINIO_API_PORT_NUMBER') ?? text('BUCKETWRIGHT_LISTEN') ?? ':9000';
  const s3 = address('--address', listen);
  const page = given.consoleAddress ?? text('MINIO_CONSOLE_ADDRESS') ?? port('MINIO_CONSOLE_PORT_NUMBER');
  const console = address(
    '--console-address',
    /^(?:off|false|no|0)$/i.test(text('MINIO_BROWSER') ?? '') ? undefined : page,
  );

  const flags = new Map([['listen', s3 === undefined ? '' : formatted(s3)]]);
  if (data !== undefined) flags.set('data', data);
  const settings = parsed(() => parse(flags, translated.settings), translated.renamed, problems);
  if (settings === undefined || problems.length > 0) throw new SettingsError(problems);
  return {
    settings,
    console,
    buckets: buckets.names,
    anyRegion: settings.server.region === undefined,
    warnings: warningsOf(settings, [...given.ignored], translated.ignored),
  };
}

function formatted({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Problems of the settings are told by the names that the reader used. */
function parsed(
  parse: () => Settings,
  renamed: ReadonlyMap<string, string>,
  problems: SettingProblem[],
): Settings | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const theirs = (text: string) => [...renamed].reduce((all, [from, to]) => all.replaceAll(from, to), text);
    problems.push(
      ...error.problems.map(({ name, origin, problem, example }) => ({
        name: theirs(name),
        origin: theirs(origin),
        problem: theirs(problem),
        example: example === undefined ? undefined : theirs(example),
      })),
    );
    return undefined;
  }
}

function warningsOf(settings: Settings, options: readonly string[], variables: readonly string[]): readonly string[] {
  const { credentials } = settings.server;
  const harmless = [...options, ...variables.filter(isHarmless)];
  const unknown = variables.filter((name) => !isHarmless(name));
  return [
    ...(credentials === undefined
      ? [
          'no MINIO_ROOT_USER and MINIO_ROOT_PASSWORD: keys of its own are kept in s3.env of the data directory; minioadmin is not one of them',
        ]
      : []),
    ...(credentials?.secretAccessKey.reveal() === 'minioadmin'
      ? ['MINIO_ROOT_PASSWORD is the well-known one: whoever reaches this port may read and delete everything']
      : []),
    ...(harmless.length > 0 ? [`set, and without effect here: ${harmless.join(', ')}`] : []),
    ...(unknown.length > 0 ? [`not known to this server, ignored: ${unknown.join(', ')}`] : []),
  ];
}
