import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { deployFiles } from '../../deploy/files.ts';
import { writeFileDurably } from '../../fs/durable.ts';
import { observabilityFiles } from '../../observability/files.ts';
import { refuseLostPeriods } from '../../observability/loki/periods.ts';
import { prefixNote } from '../../observability/loki/prefix.ts';
import {
  type RenderedFile,
  type RenderKind,
  renderAll,
  renderKinds,
  type StackModel,
  stackModel,
} from '../../stack/index.ts';
import { type CliContext, loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';

interface Options {
  readonly write?: string | true;
  readonly check?: string | true;
  readonly only?: string;
}

const files: readonly RenderedFile[] = [...observabilityFiles, ...deployFiles];

const what: Record<RenderKind | 'all', string> = {
  loki: "Loki's configuration, for the filesystem and for S3",
  tempo: "Tempo's configuration, for the filesystem and for S3",
  compose: 'the compose files',
  swarm: 'the Swarm stack files',
  grafana: "Grafana's data sources, dashboard and alerts, and what feeds them: Prometheus and the collector",
  all: 'every file of the stack',
};

export const render: Register = (program, context) => {
  for (const kind of [...renderKinds, 'all' as const]) {
    const command = noun(program, 'render', 'Write the configuration of Loki, Tempo and their stack.').command(kind);
    withSettings(command)
      .description(`Print ${what[kind]}, made from the settings. Without S3 settings, S3 means the compose file's own.`)
      .option('--write [directory]', 'write the files under this directory instead (default: the current one)')
      .option('--check [directory]', 'compare with the files there instead; exit code 2 when one differs')
      .option('--only <path>', 'only the file whose path ends like this')
      .addHelpText(
        'after',
        `\nExamples:\n  bucketwright render ${kind}\n  S3_ENDPOINT=fsn1.your-objectstorage.com … bucketwright render ${kind} --write .`,
      )
      .action(async (options: Options) => {
        const model = stackModel(loadSettings(command, context));
        const texts = select(kind, options, model);
        if (options.check !== undefined) await check(texts, directoryOf(options.check), context);
        else if (options.write !== undefined) {
          await write(texts, directoryOf(options.write), context);
          context.err.write(`S3 in these files is ${model.store.url}: ${model.store.title}\n`);
        } else print(texts, context);
      });
  }
};

const directoryOf = (option: string | true): string => (option === true ? '.' : option);

/** Rendered completely before anything is written: a setting that cannot be rendered leaves no half of a stack. */
function select(kind: RenderKind | 'all', { only }: Options, model: StackModel): ReadonlyMap<string, string> {
  const all = renderAll(files, model);
  const wanted = files.filter((file) => (kind === 'all' || file.kind === kind) && file.path.endsWith(only ?? ''));
  if (wanted.length === 0) {
    const known = files.filter((file) => kind === 'all' || file.kind === kind).map(({ path }) => path);
    throw new UsageError(`no file of ${kind} ends in ${only}`, {
      subject: '--only',
      advice: `there are ${known.join(', ')}`,
    });
  }
  return new Map(wanted.map(({ path }) => [path, all.get(path) ?? '']));
}

function print(texts: ReadonlyMap<string, string>, { out }: CliContext): void {
  for (const [path, text] of texts) out.write(texts.size === 1 ? text : `# ==> ${path}\n${text}\n`);
}

async function write(texts: ReadonlyMap<string, string>, directory: string, { err }: CliContext): Promise<void> {
  for (const [path, text] of texts) {
    const before = await present(join(directory, path));
    if (path.includes('/loki/') && before !== undefined) refuseLostPeriods(join(directory, path), before, text);
  }
  for (const [path, text] of texts) {
    const target = join(directory, path);
    const before = await present(target);
    if (before === text) {
      err.write(`unchanged  ${target}\n`);
      continue;
    }
    const note = path.includes('/loki/') && before !== undefined ? prefixNote(target, before, text) : undefined;
    if (note !== undefined) err.write(`${note}\n`);
    await mkdir(dirname(target), { recursive: true });
    // Readable for the programs, which run as users of their own; there is no secret in any of these files.
    await writeFileDurably(target, text, 0o644);
    err.write(`written    ${target}\n`);
  }
}

async function check(texts: ReadonlyMap<string, string>, directory: string, context: CliContext): Promise<void> {
  for (const [path, text] of texts) {
    const target = join(directory, path);
    const found = await present(target);
    const state = found === text ? 'same      ' : found === undefined ? 'missing   ' : 'different ';
    context.out.write(`${state} ${target}\n`);
    if (found !== text) context.exit(exitCode.findings);
  }
}

async function present(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
