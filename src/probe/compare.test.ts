import { expect, test } from 'vitest';
import { type Feature, type FeatureState, generic, type ProviderProfile } from '../providers/index.ts';
import { compare } from './compare.ts';

function row(feature: Feature, profile: FeatureState, state: FeatureState) {
  const provider: ProviderProfile = { ...generic, features: { ...generic.features, [feature]: profile } };
  const { comparison, believed } = compare({ feature, state, found: '' }, provider);
  return [comparison, believed];
}

test.each<[FeatureState, FeatureState, string, FeatureState]>([
  ['yes', 'yes', 'agrees', 'yes'],
  ['yes', 'partial', 'refuted', 'partial'],
  ['yes', 'no', 'refuted', 'no'],
  ['partial', 'no', 'refuted', 'no'],
  ['partial', 'yes', 'more', 'partial'],
  ['no', 'yes', 'more', 'no'],
  ['unknown', 'yes', 'new', 'yes'],
  ['yes', 'unknown', 'not-measured', 'yes'],
])('the profile says %s and the probe %s: %s, and %s is believed', (profile, state, comparison, believed) => {
  expect(row('cors', profile, state)).toEqual([comparison, believed]);
});

test('a condition on writes is taken away by the probe, and never added', () => {
  expect(row('conditional-put', 'unknown', 'yes')).toEqual(['new', 'unknown']);
  expect(row('conditional-put', 'unknown', 'no')).toEqual(['new', 'no']);
  expect(row('conditional-put', 'no', 'yes')).toEqual(['more', 'no']);
  expect(row('conditional-complete', 'yes', 'no')).toEqual(['refuted', 'no']);
});
