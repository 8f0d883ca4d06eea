import { expect, test } from 'vitest';
import { harmOf } from './harm.ts';

// Loki's and Tempo's are in src/observability/check/lifecycle.test.ts.
test.each(['backup', 'artifacts'] as const)(
  'no rule by age may touch what %s keeps, above or below its prefix',
  (use) => {
    const harm = (prefix: string, rule: { expireDays?: number; expireOn?: string; enabled?: boolean }) =>
      harmOf({ id: 'r', enabled: true, prefix, ...rule }, { use, prefix: 'kept/', retention: undefined });
    for (const prefix of ['', 'ke', 'kept/', 'kept/sources/node/packs/']) {
      expect(harm(prefix, { expireDays: 3650 }), prefix).toMatchObject({ advice: expect.stringContaining('remove') });
    }
    expect(harm('kept/', { expireOn: '2030-01-01' })).toBeDefined();
    expect(harm('other/', { expireDays: 1 })).toBeUndefined();
    expect(harm('kept/', { expireDays: 1, enabled: false })).toBeUndefined();
    // What ends unfinished uploads, or removes hidden versions, takes nothing that is there.
    expect(harm('', {})).toBeUndefined();
  },
);
