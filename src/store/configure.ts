import type { Engine } from './engine.ts';
import type { BucketConfigurationKind } from './port.ts';

/** @throws StoreError `no-such-bucket` */
export async function setBucketConfiguration(
  engine: Engine,
  bucket: string,
  kind: BucketConfigurationKind,
  value: string | undefined,
): Promise<void> {
  const record = engine.buckets.require(bucket);
  await engine.committer.commit(() => {
    engine.buckets.requireSame(bucket, record);
    engine.configurations.set(record.id, kind, value);
    engine.buckets.changed();
  });
}
