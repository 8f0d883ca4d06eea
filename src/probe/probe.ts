import { type Connection, type Feature, features } from '../providers/index.ts';
import { bucketTagging, cors, encryption, lifecycle, objectLock, versioning } from './bucket-features.ts';
import { type Measurement, unmeasured, type Verdict } from './model.ts';
import {
  chunkedTrailer,
  conditionalComplete,
  conditionalPut,
  defaultChecksums,
  objectTagging,
} from './object-features.ts';
import { bucketPolicy, publicAccessBlock } from './policy-features.ts';
import { type Leftover, OutsideScratchError, openScratch } from './scratch.ts';

export interface ProbeResult {
  /** In the order of the profile's features. */
  readonly measurements: readonly Measurement[];
  /** What the probe made and could not remove. */
  readonly left: readonly Leftover[];
}

/**
 * Measures an endpoint, feature by feature, by their effects, in buckets that it makes and removes. Nothing else of the
 * endpoint is touched.
 * @param signal stops before the next feature; what was made is removed all the same
 * @throws ClientError when not even a bucket can be made
 */
export async function probe(
  connection: Connection,
  options: { readonly onMeasured?: (measurement: Measurement) => void; readonly signal?: AbortSignal | undefined } = {},
): Promise<ProbeResult> {
  const scratch = openScratch(connection);
  const found = new Map<Feature, Verdict>();
  const note = (feature: Feature, verdict: Verdict) => {
    found.set(feature, verdict);
    options.onMeasured?.({ feature, ...verdict });
  };
  async function measure(feature: Feature, run: () => Promise<Verdict>): Promise<Verdict> {
    if (options.signal?.aborted === true) return unmeasured('stopped');
    const verdict = await run().catch(failed);
    note(feature, verdict);
    return verdict;
  }
  let left: readonly Leftover[] = [];
  try {
    const bucket = await scratch.make();
    await measure('object-tagging', () => objectTagging(scratch, bucket));
    await measure('conditional-put', () => conditionalPut(scratch, bucket));
    await measure('conditional-complete', () => conditionalComplete(scratch, bucket));
    await measure('default-checksums', () => defaultChecksums(scratch, bucket));
    await measure('chunked-trailer', () => chunkedTrailer(scratch, bucket));
    await measure('bucket-tagging', () => bucketTagging(scratch, bucket));
    await measure('cors', () => cors(scratch, bucket));
    if (options.signal?.aborted !== true)
      for await (const [feature, verdict] of lifecycle(scratch, bucket)) note(feature, verdict);
    const policies = await measure('bucket-policy', () => bucketPolicy(scratch, bucket));
    await measure('public-access-block', () => publicAccessBlock(scratch, policies));
    await measure('bucket-encryption', () => encryption(scratch));
    const versioned = await scratch.make();
    await measure('versioning', () => versioning(scratch, versioned));
    await measure('object-lock', () => objectLock(scratch, versioned));
  } finally {
    left = await scratch.cleanUp();
  }
  const measurements = features.map((feature) => ({
    feature,
    ...(found.get(feature) ?? unmeasured('stopped before it was measured')),
  }));
  return { measurements, left };
}

/** A feature whose measuring failed says nothing of the others. */
function failed(error: unknown): Verdict {
  if (error instanceof OutsideScratchError) throw error;
  return unmeasured(error instanceof Error ? error.message : 'an unknown failure');
}
