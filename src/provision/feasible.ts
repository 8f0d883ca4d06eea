import { type Attribute, attributes, type LifecycleRule } from '../bucket/index.ts';
import type { Feature, ProviderProfile } from '../providers/index.ts';
import { NONE } from '../settings/index.ts';
import type { DesiredBucket } from './desired.ts';
import type { PlanProblem } from './errors.ts';
import { type Acting, policyProblems } from './policy-guard.ts';

/** The feature behind each attribute. */
const featureOf: Readonly<Record<Attribute, Feature>> = {
  versioning: 'versioning',
  objectLock: 'object-lock',
  encryption: 'bucket-encryption',
  tags: 'bucket-tagging',
  cors: 'cors',
  lifecycle: 'lifecycle',
  publicAccessBlock: 'public-access-block',
  policy: 'bucket-policy',
};

/** What comes nearest where a feature is missing. */
const alternatives: Readonly<Partial<Record<Feature, string>>> = {
  versioning: 'keep copies by `bucketwright backup`, or take a provider with versions',
  'object-lock': 'deny s3:DeleteObject to the writing key by a bucket policy, and keep a second copy elsewhere',
  'bucket-encryption': 'encrypt before the upload, or use SSE-C keys where the provider has them',
  'bucket-tagging': 'leave the tags out: the manifest itself says whose the bucket is',
  cors: 'serve the objects through a proxy that adds the headers',
  lifecycle: 'delete by the program that writes: Loki, Tempo and backups do so themselves',
  'public-access-block': 'leave it out and keep the bucket free of a public policy and ACL',
  'bucket-policy': 'a bucket each with keys of its own, or the policies of keys where the provider has those',
  'lifecycle-abort-uploads': 'leave it out if the provider removes unfinished uploads by itself',
  'lifecycle-noncurrent': 'leave versioning off, or delete old versions by the program that writes',
  'lifecycle-keep-versions': 'leave noncurrentKeep out and make noncurrentAfter long enough',
  'lifecycle-sizes': 'sort by prefix instead of size',
  'lifecycle-tags': 'sort by prefix instead of tags',
  'lifecycle-dates': 'use expireAfter, counted in days',
  'lifecycle-transitions': 'leave the transition out: there is one storage class',
};

/** What the manifest asks for and the provider cannot do, before anything is asked of it. */
export function feasibilityProblems(
  desired: DesiredBucket,
  profile: ProviderProfile,
  acting: Acting,
): readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  const { name: bucket, configuration } = desired;
  const lacks = (feature: Feature, what: string) => {
    if (profile.features[feature] !== 'no') return;
    const note = profile.notes[feature];
    problems.push({
      kind: 'unsupported',
      bucket,
      problem: `${what}: ${profile.title} has no ${feature}${note === undefined ? '' : ` (${note})`}`,
      advice: alternatives[feature] ?? 'leave it out',
    });
  };
  for (const attribute of attributes) {
    const wanted = configuration[attribute];
    // What must be off is off where it does not exist.
    if (wanted === undefined || wanted === NONE || wanted === 'off' || isEmptyList(wanted)) continue;
    lacks(featureOf[attribute], attribute);
  }
  const rules = configuration.lifecycle;
  if (rules !== undefined && rules !== NONE && profile.features.lifecycle !== 'no') {
    for (const rule of rules) for (const feature of featuresOfRule(rule)) lacks(feature, `lifecycle rule ${rule.id}`);
    if (profile.lifecycleNeedsActiveVersions === true && configuration.versioning === 'suspended' && rules.length > 0) {
      problems.push({
        kind: 'unsupported',
        bucket,
        problem: `lifecycle: ${profile.title} runs no rule while versioning is suspended`,
        advice: 'enable versioning with a rule for noncurrent versions, or use a bucket that never had it',
      });
    }
  }
  const { policy } = configuration;
  if (policy !== undefined && policy !== NONE) problems.push(...policyProblems(bucket, policy, profile, acting));
  return problems;
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function featuresOfRule(rule: LifecycleRule): readonly Feature[] {
  const needed: [Feature, boolean][] = [
    ['lifecycle-abort-uploads', rule.abortUploadsDays !== undefined],
    ['lifecycle-noncurrent', rule.noncurrentDays !== undefined],
    ['lifecycle-keep-versions', rule.noncurrentKeep !== undefined],
    ['lifecycle-sizes', rule.largerThan !== undefined || rule.smallerThan !== undefined],
    ['lifecycle-tags', Object.keys(rule.tags).length > 0],
    ['lifecycle-dates', rule.expireOn !== undefined],
    ['lifecycle-transitions', rule.transitions !== undefined || rule.noncurrentTransitions !== undefined],
  ];
  return needed.filter(([, used]) => used).map(([feature]) => feature);
}
