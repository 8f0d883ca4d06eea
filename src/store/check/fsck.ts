import type { Finding } from '../../core/finding.ts';
import { formatBytes } from '../../core/sizes.ts';
import type { BodyReference } from '../body/reference.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { OpenDirectory } from './access.ts';
import { checkFiles } from './bodies-check.ts';
import { type Entry, entriesOf } from './entries.ts';
import { type CheckedEntry, checkEntry, type Damage, type EntryChecks } from './entry-check.ts';
import { Rate } from './rate.ts';
import type { Repair } from './repair.ts';
import { type Tallies, Tally } from './tally.ts';

export interface FsckOptions {
  /** Bytes a second that are read. Undefined: as fast as it goes. */
  readonly rate?: number | undefined;
  /** False: is everything there, of the right size; without reading it. Default true. */
  readonly bytes?: boolean | undefined;
  /** Told how many bytes were read since the last time. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

interface Count {
  objects: number;
  bytes: number;
  damaged: number;
}

/**
 * Compares the index with the bodies, entry by entry and file by file, and reads every byte. Answers what it finds as it
 * goes; `repairs` gets what could be put right without guessing, when the directory is open alone.
 */
export async function* fsck(opened: OpenDirectory, options: FsckOptions, repairs: Repair[]): AsyncGenerator<Finding> {
  const { index, directory, exclusive } = opened;
  const bucketNames = new Map<number, string>();
  for (const { key, value } of index.buckets.getRange()) bucketNames.set(value.id, key.toString());
  const checks: EntryChecks = { directory, index, rate: new Rate(options.rate), bytes: options.bytes ?? true };
  const tallies: Tallies = { bodies: new Tally(), manifests: new Tally(), usage: new Map(), whole: true };
  const counts = new Map<string, Count>();
  for (const entry of entriesOf(index, bucketNames)) {
    const group = entry.bucketId === undefined ? 'uploads' : (bucketNames.get(entry.bucketId) ?? 'unknown buckets');
    const count = counts.get(group) ?? { objects: 0, bytes: 0, damaged: 0 };
    counts.set(group, count);
    const checked = await checkNow(checks, entry, exclusive);
    if (checked === undefined) continue;
    count.objects += 1;
    if ('record' in checked) {
      count.bytes += checked.record.size;
      options.progress?.(checked.record.size);
      note(tallies, entry, checked.record, checked.bodies);
    } else tallies.whole = false;
    const damage = damageIn(checked, entry, bucketNames);
    if (damage === undefined) continue;
    count.damaged += 1;
    yield damage;
  }
  for (const [group, count] of counts) if (count.damaged === 0) yield wholeGroup(group, count, checks.bytes);
  if (!exclusive) {
    yield {
      id: 'references',
      status: 'skip',
      subject: directory,
      found: 'a server runs: references, orphans and counters change while they are looked at',
      advice: 'stop the server and run fsck again for these',
    };
    return;
  }
  yield* checkFiles(opened, tallies, bucketNames, repairs);
}

type Checked = (CheckedEntry & { readonly record: ObjectRecord }) | { readonly unreadable: string };

/**
 * Where a server runs, an object may go while it is read: what seems damaged is damaged only if it still is the same
 * object.
 * @returns undefined when the entry is gone
 */
async function checkNow(checks: EntryChecks, entry: Entry, exclusive: boolean): Promise<Checked | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    let record: ObjectRecord | undefined;
    try {
      record = entry.record();
    } catch (error) {
      return { unreadable: error instanceof Error ? error.message : String(error) };
    }
    if (record === undefined) return undefined;
    const checked = await checkEntry(checks, record);
    if (checked.damage === undefined || exclusive || attempt === 5) return { ...checked, record };
    checks.index.root.resetReadTxn();
    if (JSON.stringify(entry.record()) === JSON.stringify(record)) return { ...checked, record };
  }
}

function note(
  tallies: Tallies,
  { kind, bucketId }: Entry,
  record: ObjectRecord,
  bodies: readonly BodyReference[],
): void {
  for (const body of bodies) if (body.kind !== 'empty') tallies.bodies.add(body);
  if (record.body.kind === 'manifest') tallies.manifests.add(record.body);
  if (bucketId === undefined) return;
  const usage = tallies.usage.get(bucketId) ?? { objects: 0, bytes: 0 };
  if (kind === 'object') usage.objects += 1;
  usage.bytes += record.size;
  tallies.usage.set(bucketId, usage);
}

function damageIn(checked: Checked, entry: Entry, bucketNames: ReadonlyMap<number, string>): Finding | undefined {
  const { subject, bucketId } = entry;
  if ('unreadable' in checked) {
    return {
      id: 'entry-unreadable',
      status: 'fail',
      subject,
      found: `its entry in the index cannot be read: ${checked.unreadable}`,
      expected: 'an entry',
      why: 'the object cannot be read or listed',
      advice: 'restore the index from a backup (bucketwright index restore), or the object from one',
    };
  }
  if (bucketId !== undefined && !bucketNames.has(bucketId)) {
    return {
      id: 'bucket-missing',
      status: 'fail',
      subject,
      found: 'it lies in a bucket that the index does not know',
      expected: 'a bucket',
      why: 'nobody can reach it',
      advice: 'restore the index from a backup (bucketwright index restore)',
    };
  }
  return checked.damage === undefined ? undefined : damaged(subject, checked.damage);
}

function damaged(subject: string, { id, found, expected }: Damage): Finding {
  return {
    id,
    status: 'fail',
    subject,
    found,
    expected,
    why: 'reads of it fail, or are cut off where the damage is',
    advice: 'put it again from a backup, or delete it',
  };
}

function wholeGroup(group: string, { objects, bytes }: Count, read: boolean): Finding {
  const what = `${group === 'uploads' ? 'part' : 'version'}${objects === 1 ? '' : 's'}`;
  return {
    id: group === 'uploads' ? 'uploads' : 'bucket',
    status: 'ok',
    subject: group,
    found: `${objects} ${what}, ${formatBytes(bytes)}: ${read ? 'every byte as it was written' : 'all there, of the right size'}`,
  };
}
