import { DAY } from '../../core/durations.ts';
import type { StackModel } from '../../stack/index.ts';
import type { LokiStore } from '../loki/render.ts';
import { MigrationError } from './errors.ts';
import { type LokiFile, readLokiFile } from './loki-file.ts';
import { s3Block, translatedBlock } from './loki-s3-block.ts';
import { YamlEdit } from './yaml-edit.ts';

export interface LokiMigrationInput {
  /** The file's path, for people. */
  readonly subject: string;
  readonly text: string;
  readonly to: LokiStore;
  /** A UTC day, `YYYY-MM-DD`; undefined: the day after tomorrow, so that there is a whole day to roll out. */
  readonly from: string | undefined;
  readonly model: StackModel;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The text that the last migration replaced, where it was kept: taking that migration back restores it exactly. */
  readonly previous?: string | undefined;
}

/** What a migration will do. */
export interface LokiMigration {
  /**
   * `nothing`: the newest period is there already; `append`: a new period; `cancel`: one that has not begun is taken
   * back; `client`: the newest period is in S3, by the older client: the Thanos client takes its place.
   */
  readonly kind: 'nothing' | 'append' | 'cancel' | 'client';
  readonly text: string;
  /** The day from which new lines go to the other store. */
  readonly from: string | undefined;
  /** In this order; the file is written by the step that says so. */
  readonly steps: readonly string[];
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/**
 * Plans the move of Loki's new chunks to another store; pure. Nothing that is stored is rewritten: a period is appended,
 * both stores stay configured, and every day remains in sight. Planning again after applying plans nothing.
 * @throws MigrationError when the file or the day does not allow it
 */
export function planLokiMigration(input: LokiMigrationInput): LokiMigration {
  const { subject, text, to, now } = input;
  const file = readLokiFile(subject, text);
  if (file.last.store === undefined) {
    throw new MigrationError(`${subject}: the newest period is in a named store`, {
      subject,
      advice: 'append the period by hand: named stores have settings of their own; nothing was written',
    });
  }
  if (file.last.store === 's3' && to === 's3' && !file.thanos) return otherClient(input, file);
  if (file.last.store === to) {
    const steps = [`nothing to do: from ${file.last.from} on, chunks go to ${to}`];
    return { kind: 'nothing', text, from: undefined, steps };
  }
  const previous = file.periods.at(-2);
  return file.last.day > now && previous?.store === to ? cancel(input, file) : append(input, file);
}

function append(input: LokiMigrationInput, file: LokiFile): LokiMigration {
  const { subject, to, model } = input;
  refuseLostLogs(input, file);
  const from = firstDayOf(input, file);
  const edit = new YamlEdit(input.text);
  const { prefixName, bucket } = model.loki;
  const hasBlock = (kind: LokiStore) => file.blocks.has(kind) || (kind === 's3' && file.older !== undefined);
  useThanosClient(edit, input, file);
  if (!file.blocks.has('filesystem')) edit.set([...file.base, 'filesystem'], { dir: file.directory });
  if (file.deleteRequests === 'filesystem') edit.set(['compactor', 'delete_request_store'], 's3');
  edit.appendPeriod(from, to);
  const moved =
    file.prefix !== prefixName
      ? [
          `stop Loki and move its disk store below the prefix, once: mkdir ${file.directory}.new && mv ${file.directory} ${file.directory}.new/${prefixName} && mv ${file.directory}.new ${file.directory}`,
        ]
      : [];
  const keys = hasBlock('s3')
    ? []
    : [
        `make the bucket (bucketwright provision) and give Loki the keys in the file that AWS_SHARED_CREDENTIALS_FILE names (bucketwright render credentials): with the new file it needs them at its start`,
      ];
  const old = to === 's3' ? `the volume's ${file.directory}` : `the bucket ${bucket}`;
  return {
    kind: 'append',
    from,
    text: edit.toString(),
    steps: [
      ...moved,
      ...keys,
      `write ${subject}: a period from ${from} in ${to}; both stores stay configured, nothing is rewritten`,
      'check it: loki -config.file=FILE -verify-config',
      `restart Loki with it before ${from} 00:00 UTC; it switches by itself then. Keep /loki: the write-ahead log and open delete requests are there`,
      `after ${from}: bucketwright observability verify`,
      whenOldMayGo(file, from, old, to),
    ],
  };
}

/** Both stores by the Thanos client, over what is there: same bucket, same directory, same names of stores. */
function useThanosClient(edit: YamlEdit, { subject, model }: LokiMigrationInput, file: LokiFile): void {
  const { base, blocks, older, periods, prefix, thanos } = file;
  const { prefixName } = model.loki;
  edit.set(['storage_config', 'use_thanos_objstore'], true);
  if (prefix !== prefixName || !thanos) edit.set([...base, 'storage_prefix'], prefixName);
  if (blocks.has('s3')) return;
  const block = older === undefined ? s3Block(model) : translatedBlock(subject, older, model);
  edit.set([...base, 's3'], block);
  // The Thanos client knows no `aws`. As the name of a store, past periods keep theirs, and with it the directories of
  // their index, write-ahead log and deletion marks.
  const named = !thanos && periods.some(({ name }) => name === 'aws');
  if (named) edit.set([...base, 'named_stores', 's3', 'aws'], block);
}

function otherClient(input: LokiMigrationInput, file: LokiFile): LokiMigration {
  const { subject } = input;
  refuseLostLogs(input, file);
  const edit = new YamlEdit(input.text);
  useThanosClient(edit, input, file);
  if (file.periods.some(({ store }) => store === 'filesystem')) {
    edit.set([...file.base, 'filesystem'], { dir: file.directory });
  }
  return {
    kind: 'client',
    from: undefined,
    text: edit.toString(),
    steps: [
      `write ${subject}: the Thanos client reads and writes the same objects; no period changes, nothing is moved`,
      'check it: loki -config.file=FILE -verify-config',
      'restart Loki with it, then: bucketwright observability verify',
      'the older block (storage_config.aws or common.storage.s3) is not read any more: it may go when all is well',
    ],
  };
}

/** Taking back what has not begun leaves the file as it was before it was planned. */
function cancel(input: LokiMigrationInput, file: LokiFile): LokiMigration {
  return {
    kind: 'cancel',
    from: undefined,
    text: replacedText(input, file) ?? withoutLastPeriod(input, file),
    steps: [
      `write ${input.subject}: the period from ${file.last.from} has not begun and is taken back; chunks go on to ${input.to}`,
      `restart Loki with it before ${file.last.from} 00:00 UTC`,
    ],
  };
}

/** The kept text, if planning from it leads exactly to the file in hand: nothing was changed since. */
function replacedText(input: LokiMigrationInput, file: LokiFile): string | undefined {
  const { previous, text } = input;
  if (previous === undefined || file.last.store === undefined) return undefined;
  try {
    const there = { ...input, text: previous, previous: undefined, to: file.last.store, from: file.last.from };
    return planLokiMigration(there).text === text ? previous : undefined;
  } catch (error) {
    if (error instanceof MigrationError) return undefined;
    throw error;
  }
}

function withoutLastPeriod(input: LokiMigrationInput, file: LokiFile): string {
  const { model } = input;
  const store = file.base;
  const edit = new YamlEdit(input.text);
  edit.removeLastPeriod(file.periods.length);
  const left = file.periods.slice(0, -1);
  if (!left.some((period) => period.store === 's3')) {
    edit.removeIf([...store, 's3'], s3Block(model));
    if (file.deleteRequests === 's3') edit.set(['compactor', 'delete_request_store'], 'filesystem');
  }
  if (!left.some((period) => period.store === 'filesystem')) {
    edit.removeIf([...store, 'filesystem'], { dir: file.directory });
  }
  return edit.toString();
}

/** @throws MigrationError when what is stored would not be found with the settings' bucket and prefix */
function refuseLostLogs({ subject, model, to }: LokiMigrationInput, file: LokiFile): void {
  const { bucket, prefixName } = model.loki;
  const refuse = (message: string, advice: string): never => {
    throw new MigrationError(`${subject}: ${message}`, { subject, advice: `${advice}; nothing was written` });
  };
  const onS3 = file.periods.some(({ store }) => store === 's3');
  if (onS3 && file.bucket !== undefined && !file.bucket.includes('$') && file.bucket !== bucket) {
    refuse(`its bucket is ${file.bucket}, the settings say ${bucket}`, 'set S3_BUCKET_LOKI to the bucket in use');
  }
  if (file.prefix === prefixName) return;
  const said = `its prefix is ${JSON.stringify(file.prefix)}, the settings say ${JSON.stringify(prefixName)}`;
  // Only a disk store without one can be moved, by a rename; objects would have to be copied.
  if (file.prefix !== '' || onS3 || to !== 's3') {
    const advice =
      file.prefix === '' ? 'keep S3_PREFIX_LOKI empty, and its bucket to itself' : `set S3_PREFIX_LOKI=${file.prefix}`;
    refuse(said, `old logs would vanish from queries: ${advice}`);
  }
}

function firstDayOf({ from, now, subject }: LokiMigrationInput, { last }: LokiFile): string {
  const today = Math.floor(now / DAY) * DAY;
  if (from === undefined) return dayOf(Math.max(today + 2 * DAY, last.day + DAY));
  const day = /^\d{4}-\d\d-\d\d$/.test(from) ? Date.parse(`${from}T00:00:00Z`) : Number.NaN;
  const refuse = (message: string, advice: string): never => {
    throw new MigrationError(message, { subject, advice: `${advice}; nothing was written` });
  };
  if (Number.isNaN(day) || dayOf(day) !== from) refuse(`${from} is no day`, 'write a UTC day as YYYY-MM-DD');
  if (day <= today) {
    const why = 'what was written since to the store in use would vanish from queries';
    refuse(`${from} is not in the future (UTC): ${why}`, `name ${dayOf(today + 2 * DAY)} or later`);
  }
  if (day <= last.day) refuse(`${from} is not after the newest period (${last.from})`, 'name a later day');
  return from;
}

function whenOldMayGo({ retention, last }: LokiFile, from: string, old: string, to: LokiStore): string {
  const requests = to === 'filesystem' ? '; set delete_request_store: filesystem in that step' : '';
  if (retention === undefined) return `logs are kept for ever: ${old} must stay as long as they shall be found`;
  // Two hours of delete delay and the compactor's runs fit in the day that is added.
  const day = dayOf(Date.parse(`${from}T00:00:00Z`) + retention + DAY);
  return `${old} may go from ${day} on, when its last logs (period from ${last.from}) have passed their retention${requests}`;
}
