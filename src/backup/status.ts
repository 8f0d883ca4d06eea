import { formatDuration, MINUTE } from '../core/durations.ts';
import type { Finding } from '../core/finding.ts';
import { formatBytes } from '../core/sizes.ts';
import { type DrillRecord, drillHistory } from './drill.ts';
import { isDamage } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import type { SnapshotName } from './repository/names.ts';
import type { SourceStore } from './repository/source-store.ts';

/** How a source stands. */
export interface SourceStatus {
  readonly source: string;
  readonly newest: SnapshotName | undefined;
  /** The newest that can be read. */
  readonly lastGood: Snapshot | undefined;
  readonly snapshots: number;
  readonly drill: DrillRecord | undefined;
}

/** A snapshot may seem to come from the future by so much: clocks of hosts differ. */
const CLOCKS_DIFFER = MINUTE;

/** A few requests a source, and one for each 1,000 snapshots. */
export async function statusOf(store: SourceStore): Promise<SourceStatus> {
  let newest: SnapshotName | undefined;
  let lastGood: Snapshot | undefined;
  let snapshots = 0;
  for await (const name of store.names()) {
    newest ??= name;
    snapshots += 1;
    lastGood ??= await readable(store, name);
  }
  let drill: DrillRecord | undefined;
  for await (const record of drillHistory(store, 1)) drill = record;
  return { source: store.source, newest, lastGood, snapshots, drill };
}

async function readable(store: SourceStore, name: SnapshotName): Promise<Snapshot | undefined> {
  try {
    return await store.readSnapshot(name);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** Pure. @param rpo milliseconds that the last good snapshot may be old */
export function judge(
  { source, newest, lastGood, snapshots, drill }: SourceStatus,
  now: number,
  rpo?: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  if (newest !== undefined && newest.time > now + CLOCKS_DIFFER) {
    findings.push({
      id: 'clock',
      status: 'warn',
      subject: source,
      found: `the newest snapshot is of ${new Date(newest.time).toISOString()}, which is yet to come`,
      why: 'a clock was wrong, or is: its age cannot be told, and restore --at may miss it',
      advice: 'set the clock of the host that makes the backups; the next snapshot is in order again',
    });
  }
  if (newest !== undefined && newest.id !== lastGood?.id) {
    findings.push({
      id: 'unreadable',
      status: 'fail',
      subject: `${source} ${newest.id}`,
      found: 'the newest snapshot cannot be read',
      why: 'what it added cannot be restored',
      advice: 'run bucketwright backup verify, and a --full backup',
    });
  }
  const expected = rpo === undefined ? {} : { expected: `at most ${formatDuration(rpo)} old` };
  if (lastGood === undefined) {
    findings.push({
      id: 'last-good',
      status: 'fail',
      subject: source,
      found: 'there is no snapshot that can be restored',
      ...expected,
      why: 'everything would be lost',
      advice: 'run bucketwright backup run',
    });
  } else {
    const age = now - lastGood.time;
    const late = rpo !== undefined && age > rpo;
    findings.push({
      id: 'last-good',
      status: late ? 'fail' : 'ok',
      subject: `${source} ${lastGood.id}`,
      found: `${formatDuration(age)} old (${describe(lastGood)}), ${snapshots} snapshots`,
      ...expected,
      ...(late ? { why: 'what was written since would be lost', advice: 'see why backups do not run' } : {}),
    });
  }
  findings.push(drillFinding(source, drill, now));
  return findings;
}

function describe({ content, added }: Snapshot): string {
  const what = content.kind === 'mdbx' ? `transaction ${content.txnid}` : 'directory';
  return `${what}, ${formatBytes(added.stored)} added`;
}

function drillFinding(source: string, drill: DrillRecord | undefined, now: number): Finding {
  if (drill === undefined) {
    return {
      id: 'drill',
      status: 'warn',
      subject: source,
      found: 'it was never restored',
      why: 'a backup that nobody restored is a hope',
      advice: `run bucketwright backup drill ${source}`,
    };
  }
  const when = `${formatDuration(now - drill.time)} ago, of ${drill.snapshot}`;
  const how =
    drill.restored === undefined
      ? (drill.problem ?? 'it failed')
      : `${formatBytes(drill.restored.bytes)} in ${formatDuration(drill.restored.took)}`;
  return {
    id: 'drill',
    status: drill.ok ? 'ok' : 'fail',
    subject: source,
    found: `${when}: ${how}${drill.restored !== undefined && drill.problem !== undefined ? `; ${drill.problem}` : ''}`,
    ...(drill.ok
      ? {}
      : {
          why: 'the last drill failed or was worse than its objective',
          advice: 'run backup drill again, then verify',
        }),
  };
}
