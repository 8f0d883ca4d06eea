import { describe, expect, test } from 'vitest';
import { KiB } from '../core/sizes.ts';
import { hetzner } from './hetzner.ts';
import { believes, conditions, providers } from './index.ts';

describe('what is different on Hetzner', () => {
  test('the three locations tell their region; a look-alike does not', () => {
    const tells = (host: string) => hetzner.hosts.some((pattern) => pattern.test(host));
    for (const place of ['fsn1', 'nbg1', 'hel1']) {
      expect(tells(`${place}.your-objectstorage.com`)).toBe(true);
      expect(hetzner.regionOf(`bucket.${place}.your-objectstorage.com`)).toBe(place);
    }
    expect(tells('fsn1.your-objectstorage.com.example')).toBe(false);
    expect(tells('fsn1-your-objectstorage.com')).toBe(false);
  });

  test('a principal is the project and the key id, and nothing else matches anybody', () => {
    const pattern = hetzner.policy.principal?.pattern;
    expect(pattern?.test('arn:aws:iam:::user/p1234567:ABCDEFGHIJ0123456789')).toBe(true);
    for (const wrong of [
      'arn:aws:iam:::user/1234567:ABCDEFGHIJ0123456789',
      'arn:aws:iam:::user/p1234567',
      'arn:aws:iam::1234567:root',
      'arn:aws:iam::1234567:user/p1234567:ABC',
      'ABCDEFGHIJ0123456789',
      '*',
    ]) {
      expect(pattern?.test(wrong), wrong).toBe(false);
    }
    expect(hetzner.policy.principalEndsWithKeyId).toBe(true);
  });

  test('a lockout is final, policies take about a minute, and NotAction is nothing', () => {
    expect(hetzner.policy).toMatchObject({ lockoutIsFinal: true, settleMs: 60_000, ignored: ['NotAction'] });
  });

  test('actions in policies come from a list, which has none that the provider refuses', () => {
    const known = hetzner.policy.actions ?? [];
    expect(known).toContain('s3:GetObject');
    for (const refused of [
      's3:PutEncryptionConfiguration',
      's3:PutBucketOwnershipControls',
      's3:GetObjectAttributes',
    ]) {
      expect(known).not.toContain(refused);
    }
    expect(new Set(known).size).toBe(known.length);
  });

  test('no tags, no encryption by default: nothing of the kind is sent', () => {
    for (const feature of ['bucket-tagging', 'object-tagging', 'bucket-encryption'] as const) {
      expect(hetzner.features[feature]).toBe('no');
    }
  });

  test('a prefix stands in the rule and never beside a Filter; no rule runs while versioning is suspended', () => {
    expect(hetzner).toMatchObject({ lifecyclePrefix: 'rule', lifecycleNeedsActiveVersions: true });
  });

  test('the SDK adds no checksums and no trailers', () => {
    expect(hetzner.checksums).toBe('when-required');
    expect(hetzner.features['chunked-trailer']).toBe('no');
  });

  test('keys are made by hand, canned ACLs clear policies, errors are HTML, and limits are known', () => {
    expect(hetzner.keysByHand?.length).toBeGreaterThan(3);
    expect(hetzner.keysSettleMs).toBe(5 * 60_000);
    expect(hetzner).toMatchObject({ aclClearsPolicy: true, htmlErrors: true });
    expect(hetzner.limits).toEqual({
      requestsPerSecond: 750,
      connections: 256,
      buckets: 100,
      keys: 200,
      leastBilledBytes: 64 * KiB,
    });
  });

  test('conditions hold on plain uploads to buckets without versions, and nowhere else', () => {
    expect(conditions.filter((condition) => believes(hetzner, condition, false))).toEqual([
      'put-if-absent',
      'put-if-match',
    ]);
    expect(conditions.filter((condition) => believes(hetzner, condition, true))).toEqual([]);
    expect(hetzner.ifMatchBare).toBe(true);
  });
});

test('the list of believed conditions and the table of features say the same', () => {
  for (const { name, conditions: listed, features } of providers) {
    const held = (state: string) => state === 'yes' || state === 'partial';
    expect(listed.includes('put-if-absent'), name).toBe(held(features['conditional-put']));
    expect(listed.includes('complete-if-absent'), name).toBe(held(features['conditional-complete']));
  }
});
