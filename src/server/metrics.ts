import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestEvent } from '../s3/service.ts';
import type { LifecycleReport, ObjectStore } from '../store/index.ts';

/** What `/metrics` answers, in Prometheus' text format. Names and labels are part of the product: dashboards use them. */
export interface ServerMetrics {
  observeRequest(event: RequestEvent): void;
  observeCommit(milliseconds: number, changes: number): void;
  observeLifecycle(report: LifecycleReport): void;
  requestStarted(): void;
  requestEnded(): void;
  /** @returns the content type and the text of one scrape */
  scrape(): Promise<Scrape>;
  /** What this process has counted, for a scrape of all processes together. */
  snapshot(): Promise<Snapshot>;
  /** A scrape of this process and others; what the store knows is asked here. */
  scrapeWith(others: readonly Snapshot[]): Promise<Scrape>;
}

export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

/** Metrics as JSON, which may travel between processes. */
export type Snapshot = readonly object[];

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createMetrics(store: () => ObjectStore): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'bucketwright_requests_total',
    help: 'S3 requests answered',
    labelNames: ['operation', 'status'],
    registers,
  });
  const latency = new Histogram({
    name: 'bucketwright_request_duration_seconds',
    help: 'Time from the request to the end of the answer',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  });
  const received = new Counter({
    name: 'bucketwright_received_bytes_total',
    help: 'Bytes of request bodies',
    registers,
  });
  const sent = new Counter({ name: 'bucketwright_sent_bytes_total', help: 'Bytes of answer bodies', registers });
  const inFlight = new Gauge({ name: 'bucketwright_requests_in_flight', help: 'Requests being served', registers });
  const commits = new Histogram({
    name: 'bucketwright_commit_duration_seconds',
    help: 'Time until a group of changes is on the disk (fsync included)',
    buckets: SECONDS,
    registers,
  });
  const changes = new Counter({
    name: 'bucketwright_commit_changes_total',
    help: 'Changes made durable; divided by the number of commits, the size of a group',
    registers,
  });
  const removed = new Counter({
    name: 'bucketwright_lifecycle_removed_total',
    help: 'What lifecycle rules have removed: objects that expired, older versions, delete markers, uploads',
    labelNames: ['kind'],
    registers,
  });
  const lifecycleRuns = new Counter({
    name: 'bucketwright_lifecycle_runs_total',
    help: 'Runs of lifecycle rules over a bucket',
    registers,
  });
  const askStore = storeGauges(store, registers);

  // Looking up a labelled child costs more than counting with it, and requests are many.
  const children = new Map<string, { count(): void; time(seconds: number): void }>();
  const childOf = (operation: string, status: number) => {
    const name = `${operation} ${status}`;
    const known = children.get(name);
    if (known !== undefined) return known;
    const counter = requests.labels(operation, String(status));
    const timer = latency.labels(operation);
    const child = { count: () => counter.inc(), time: (seconds: number) => timer.observe(seconds) };
    children.set(name, child);
    return child;
  };

  return {
    observeRequest(event) {
      const child = childOf(event.operation, event.status);
      child.count();
      child.time(event.milliseconds / 1000);
      if (event.bytesIn > 0) received.inc(event.bytesIn);
      if (event.bytesOut > 0) sent.inc(event.bytesOut);
    },
    observeCommit(milliseconds, count) {
      commits.observe(milliseconds / 1000);
      changes.inc(count);
    },
    observeLifecycle({ expired, versions, deleteMarkers, uploads }) {
      lifecycleRuns.inc();
      for (const [kind, count] of Object.entries({
        object: expired,
        version: versions,
        marker: deleteMarkers,
        upload: uploads,
      })) {
        if (count > 0) removed.inc({ kind }, count);
      }
    },
    requestStarted: () => inFlight.inc(),
    requestEnded: () => inFlight.dec(),
    async scrape() {
      await askStore();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    snapshot: () => registry.getMetricsAsJSON(),
    async scrapeWith(others) {
      await askStore();
      const all = AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...others]);
      return { contentType: registry.contentType, text: await all.metrics() };
    },
  };
}

/**
 * What the store knows by itself: its counters are kept by the commits. Asked before each scrape, since the registry reads
 * all metrics at once and would take one that another's `collect` sets as it was at the last scrape.
 * @returns asks the store and sets the gauges
 */
function storeGauges(store: () => ObjectStore, registers: Registry[]): () => Promise<void> {
  const objects = new Gauge({
    name: 'bucketwright_bucket_objects',
    help: 'Objects in a bucket',
    labelNames: ['bucket'],
    registers,
  });
  const bytes = new Gauge({
    name: 'bucketwright_bucket_bytes',
    help: 'Bytes of the objects in a bucket',
    labelNames: ['bucket'],
    registers,
  });
  const writable = new Gauge({ name: 'bucketwright_writable', help: '1 while writes are taken', registers });
  const free = new Gauge({
    name: 'bucketwright_disk_free_bytes',
    help: 'Bytes that objects may still take; a reserve for deletes is not counted',
    registers,
  });
  return async () => {
    const [usages, health] = await Promise.all([store().usage(), store().health()]);
    objects.reset();
    bytes.reset();
    for (const usage of usages) {
      objects.set({ bucket: usage.bucket }, usage.objects);
      bytes.set({ bucket: usage.bucket }, usage.bytes);
    }
    free.set(health.diskFreeBytes);
    writable.set(health.writable ? 1 : 0);
  };
}
