import { type Settings, uses } from '../settings/index.ts';

/** A place that the settings name: a bucket, and the prefix within it that one use keeps its objects under. */
export interface WantedPlace {
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
  /** What it is for: `loki`, `tempo`, …, or `bucketwright.yaml` for a bucket of its list. */
  readonly use: string;
}

/**
 * Where the stack keeps objects: always Loki and Tempo; backups and artifacts once their bucket is named; every bucket
 * that bucketwright.yaml lists.
 */
export function wantedPlaces(settings: Settings): readonly WantedPlace[] {
  const places: WantedPlace[] = [];
  for (const use of uses) {
    const { bucket, prefix, explicit } = settings.buckets[use];
    if (explicit || use === 'loki' || use === 'tempo') places.push({ bucket, prefix, use });
  }
  for (const { name: bucket } of settings.manifest.buckets) {
    if (!places.some((place) => place.bucket === bucket)) places.push({ bucket, prefix: '', use: 'bucketwright.yaml' });
  }
  return places;
}

/** The same by bucket, each once. */
export function wantedBuckets(places: readonly WantedPlace[]): readonly string[] {
  return [...new Set(places.map(({ bucket }) => bucket))];
}
