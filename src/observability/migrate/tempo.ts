import type { StackModel } from '../../stack/index.ts';
import { firstTextAt, isVariable, textAt } from '../check/configuration.ts';
import { parseGoDuration } from '../check/durations.ts';
import { tempoMistakes } from '../check/tempo.ts';
import { parseKeyTable } from '../keys/accepted.ts';
import { tempoKeys } from '../keys/tempo-3.0.ts';
import type { LokiStore } from '../loki/render.ts';
import { MigrationError } from './errors.ts';
import { readOrRefuse, refusal } from './refusal.ts';
import { YamlEdit } from './yaml-edit.ts';

export interface TempoMigrationInput {
  /** The file's path, for people. */
  readonly subject: string;
  readonly text: string;
  readonly to: LokiStore;
  readonly model: StackModel;
  /** The text that the last migration replaced, where it was kept: going back restores it exactly. */
  readonly previous?: string | undefined;
}

export interface TempoMigration {
  /** `switch`: Tempo has one backend at a time, so its blocks are copied while it is stopped. */
  readonly kind: 'nothing' | 'switch';
  readonly text: string;
  readonly steps: readonly string[];
  /** Where its blocks are, or come, on the disk as Tempo sees it. */
  readonly directory: string;
}

const table = parseKeyTable(tempoKeys);
const trace = ['storage', 'trace'];
const retentionPaths = [
  'backend_worker.compaction.block_retention',
  'backend_scheduler.provider.compaction.compaction.block_retention',
];

/**
 * Plans the move of Tempo's blocks; pure. The layout on disk and in S3 is the same, so copying them is all, and the
 * way back is the same. Planning again after applying plans nothing.
 * @throws MigrationError when the file does not allow it
 */
export function planTempoMigration(input: TempoMigrationInput): TempoMigration {
  const { subject, text, to, model } = input;
  const refuse = (message: string, advice: string): never => {
    throw refusal(subject, message, advice);
  };
  const configuration = readOrRefuse('tempo', subject, text, table, tempoMistakes);
  for (const path of retentionPaths) {
    const kept = textAt(configuration, path) ?? '0';
    if (parseGoDuration(kept) === undefined && !isVariable(kept)) {
      refuse(`block_retention: ${kept} is no duration of Tempo's`, 'write it in hours: 336h');
    }
  }
  const backend = textAt(configuration, 'storage.trace.backend') ?? 'local';
  const wanted = to === 's3' ? 's3' : 'local';
  const directory = firstTextAt(configuration, 'storage.trace.local.path') ?? '/var/tempo/blocks';
  if (backend === wanted) {
    return {
      kind: 'nothing',
      text,
      directory,
      steps: [`nothing to do: blocks are in ${wanted === 's3' ? 'S3' : 'the disk'} already`],
    };
  }
  if (backend !== 'local' && backend !== 's3')
    return refuse(`its backend is ${backend}`, 'only local and s3 can be moved');
  const { bucket, prefixName } = model.tempo;
  const there = textAt(configuration, 'storage.trace.s3.bucket');
  if (there !== undefined && !there.includes('$') && there !== bucket) {
    return refuse(`its bucket is ${there}, the settings say ${bucket}`, 'set S3_BUCKET_TEMPO to the bucket in use');
  }
  const told = textAt(configuration, 'storage.trace.s3.prefix') ?? '';
  if (told.startsWith('/')) refuse(`its prefix ${told} begins with a slash`, `write it as ${told.replace(/^\/+/, '')}`);
  const prefix = told.replace(/\/+$/, '');
  if (there !== undefined && prefix !== prefixName) {
    const said = `its prefix is ${JSON.stringify(prefix)}, the settings say ${JSON.stringify(prefixName)}`;
    return refuse(said, 'set S3_PREFIX_TEMPO to the prefix in use');
  }
  const edit = new YamlEdit(text);
  edit.set([...trace, 'backend'], wanted);
  if (to === 's3' && there === undefined) edit.set([...trace, 's3'], s3Block(model));
  if (to === 'filesystem') {
    edit.removeIf([...trace, 's3'], s3Block(model));
    edit.set([...trace, 'local', 'path'], directory);
  }
  const remote = `s3://${bucket}/${model.tempo.prefix}`;
  const [source, destination] = to === 's3' ? [directory, remote] : [remote, directory];
  return {
    kind: 'switch',
    text: replacedText(input) ?? edit.toString(),
    directory,
    steps: [
      'stop Tempo: its live store is safe on its volume after 15 seconds, even if it must be killed; keep that volume',
      `copy the blocks from ${source} to ${destination}, each meta.json last, and read them back (--apply does, and goes on where it stopped)`,
      `write ${subject}: the backend is ${wanted} (--apply does, once all blocks are there)`,
      'start Tempo with it, then: bucketwright observability verify',
      `keep ${source} until a trace from before is found by its id`,
    ],
  };
}

/** The kept text, if planning from it leads exactly to the file in hand: nothing was changed since. */
function replacedText(input: TempoMigrationInput): string | undefined {
  const { previous, text, to } = input;
  if (previous === undefined) return undefined;
  try {
    const other = to === 's3' ? 'filesystem' : 's3';
    return planTempoMigration({ ...input, text: previous, previous: undefined, to: other }).text === text
      ? previous
      : undefined;
  } catch (error) {
    if (error instanceof MigrationError) return undefined;
    throw error;
  }
}

function s3Block({ store, tempo }: StackModel): Readonly<Record<string, unknown>> {
  return {
    endpoint: store.authority,
    insecure: store.insecure,
    region: store.region,
    bucket: tempo.bucket,
    prefix: tempo.prefixName,
    forcepathstyle: store.pathStyle,
  };
}
