import type { Feature, FeatureState, ProviderProfile } from '../providers/index.ts';
import type { Measurement } from './model.ts';

/**
 * `refuted`: less than the profile promises. `more`: more than it promises, which changes nothing until the profile does.
 * `new`: the profile knew nothing.
 */
export type Comparison = 'agrees' | 'refuted' | 'more' | 'new' | 'not-measured';

export interface ProbeRow extends Measurement {
  readonly profile: FeatureState;
  readonly comparison: Comparison;
  /** What may be built on: the lesser of the two. */
  readonly believed: FeatureState;
}

const strength: Readonly<Record<Exclude<FeatureState, 'unknown'>, number>> = { no: 0, partial: 1, yes: 2 };

/**
 * Conditional writes that only look sound in a race that was won by luck cost data, so a measurement never adds one: the
 * profile is the list of those that are believed.
 */
const neverExtended: ReadonlySet<Feature> = new Set(['conditional-put', 'conditional-complete']);

/** A measurement beside what the profile says. */
export function compare(measurement: Measurement, { features }: ProviderProfile): ProbeRow {
  const profile = features[measurement.feature];
  const { state, feature } = measurement;
  if (state === 'unknown') return { ...measurement, profile, comparison: 'not-measured', believed: profile };
  if (profile === 'unknown') {
    const believed = neverExtended.has(feature) && state !== 'no' ? 'unknown' : state;
    return { ...measurement, profile, comparison: 'new', believed };
  }
  const difference = strength[state] - strength[profile];
  if (difference === 0) return { ...measurement, profile, comparison: 'agrees', believed: profile };
  return difference < 0
    ? { ...measurement, profile, comparison: 'refuted', believed: state }
    : { ...measurement, profile, comparison: 'more', believed: profile };
}
