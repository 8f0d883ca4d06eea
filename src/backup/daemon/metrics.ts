import { Counter, Gauge, Registry } from 'prom-client';
import type { DrillRecord, Objectives } from '../drill.ts';
import type { Snapshot } from '../repository/model.ts';
import type { SourceStatus } from '../status.ts';

/** What is known of backups, in Prometheus' text format. Names and labels are part of the product: alerts use them. */
export interface BackupMetrics {
  objectives(source: string, objectives: Objectives & { readonly drillEvery?: number | undefined }): void;
  status(status: SourceStatus): void;
  stored(snapshot: Snapshot): void;
  drilled(source: string, drill: DrillRecord): void;
  failed(source: string, task: string): void;
  standby(source: string, waiting: boolean): void;
  /** @returns the content type and the text of one scrape */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function createBackupMetrics(): BackupMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `bucketwright_backup_${name}`, help, labelNames: ['source'], registers });
  const lastSuccess = gauge('last_success_timestamp_seconds', 'When the newest good snapshot was made');
  const objective = gauge('objective_seconds', 'How old the newest good snapshot may be');
  const snapshots = gauge('snapshots', 'Snapshots that there are');
  const drillTime = gauge('last_drill_timestamp_seconds', 'When the source was last restored for a drill');
  const drillOk = gauge('last_drill_success', 'Whether the last drill was within its objectives: 1 or 0');
  const drillSeconds = gauge('last_drill_seconds', 'How long the restore of the last drill took');
  const drillEvery = gauge('drill_every_seconds', 'How often a drill is due');
  const waiting = gauge('standby', 'Whether another process is at work on the source: 1 or 0');
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    new Counter({ name: `bucketwright_backup_${name}_total`, help, labelNames: ['source', ...labels], registers });
  const runs = counter('runs', 'Snapshots that were stored');
  const read = counter('read_bytes', 'Bytes read of the source');
  const stored = counter('stored_bytes', 'Bytes that snapshots added to the repository');
  const failures = counter('failures', 'What failed, by task', ['task']);
  const setDrill = (source: string, { time, ok, restored }: DrillRecord) => {
    drillTime.set({ source }, time / 1000);
    drillOk.set({ source }, ok ? 1 : 0);
    if (restored !== undefined) drillSeconds.set({ source }, restored.took / 1000);
  };
  return {
    objectives(source, { rpo, drillEvery: every }) {
      if (rpo !== undefined) objective.set({ source }, rpo / 1000);
      if (every !== undefined) drillEvery.set({ source }, every / 1000);
    },
    status(status) {
      const { source, lastGood, drill } = status;
      // Zero, and so late by any objective, where there is none.
      lastSuccess.set({ source }, (lastGood?.time ?? 0) / 1000);
      snapshots.set({ source }, status.snapshots);
      if (drill !== undefined) setDrill(source, drill);
    },
    stored({ source, time, read: bytes, added }) {
      lastSuccess.set({ source }, time / 1000);
      snapshots.inc({ source });
      runs.inc({ source });
      read.inc({ source }, bytes);
      stored.inc({ source }, added.stored);
    },
    drilled: setDrill,
    failed(source, task) {
      failures.inc({ source, task });
    },
    standby(source, is) {
      waiting.set({ source }, is ? 1 : 0);
    },
    async scrape() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
