/** What one run over a bucket removed. */
export interface LifecycleReport {
  readonly bucket: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended: number;
  /** Current objects that expired: removed, or marked as deleted where the bucket has versioning. */
  readonly expired: number;
  /** Versions that were not current. */
  readonly versions: number;
  readonly deleteMarkers: number;
  readonly uploads: number;
  /** Versions that are due but held by a retention or a legal hold. */
  readonly locked: number;
}

export type LifecycleCounts = {
  -readonly [K in 'expired' | 'versions' | 'deleteMarkers' | 'uploads' | 'locked']: number;
};

export function noCounts(): LifecycleCounts {
  return { expired: 0, versions: 0, deleteMarkers: 0, uploads: 0, locked: 0 };
}
