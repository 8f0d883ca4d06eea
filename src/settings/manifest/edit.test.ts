import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { editTenants } from './edit.ts';

const TEXT = `# ours
s3: { region: fsn1 } # where
tenants:
  # the first
  - name: acme
    prefixes: [{ bucket: shared, prefix: acme }]
  - name: beta
    bucket: beta-files
`;

const tenantsOf = (text: string | undefined) => parse(text ?? '').tenants;

describe('editing the tenants of a manifest', () => {
  test('adds behind the others and keeps what people wrote', () => {
    const text = editTenants(TEXT, { kind: 'add', entry: { name: 'gamma', bucket: 'gamma-files' } });
    expect(tenantsOf(text).map(({ name }: { name: string }) => name)).toEqual(['acme', 'beta', 'gamma']);
    expect(text).toContain('# the first');
    expect(text).toContain('s3: { region: fsn1 } # where');
  });

  test.each(['', '# nothing yet\n', 's3: {}\n', 'tenants:\n', 'tenants: []\n'])(
    'adds the first one to %j',
    (before) => {
      const text = editTenants(before, { kind: 'add', entry: { name: 'acme', bucket: 'acme-files' } });
      expect(tenantsOf(text)).toEqual([{ name: 'acme', bucket: 'acme-files' }]);
    },
  );

  test('suspends, resumes, sets principals and removes', () => {
    const suspended = editTenants(TEXT, { kind: 'suspend', name: 'acme', suspended: true }) ?? '';
    expect(tenantsOf(suspended)[0].suspended).toBe(true);
    const resumed = editTenants(suspended, { kind: 'suspend', name: 'acme', suspended: false });
    expect(parse(resumed ?? '')).toEqual(parse(TEXT));
    const named = editTenants(TEXT, { kind: 'principals', name: 'beta', principals: ['arn:a', 'arn:b'] });
    expect(tenantsOf(named)[1].principals).toEqual(['arn:a', 'arn:b']);
    const one = editTenants(TEXT, { kind: 'remove', name: 'acme' }) ?? '';
    expect(tenantsOf(one)).toEqual([{ name: 'beta', bucket: 'beta-files' }]);
    expect(parse(editTenants(one, { kind: 'remove', name: 'beta' }) ?? '')).toEqual({ s3: { region: 'fsn1' } });
  });

  test('says when the tenant stands elsewhere or the file is none', () => {
    expect(editTenants(TEXT, { kind: 'remove', name: 'nobody' })).toBeUndefined();
    expect(editTenants('s3: [', { kind: 'remove', name: 'acme' })).toBeUndefined();
    expect(editTenants('', { kind: 'suspend', name: 'acme', suspended: true })).toBeUndefined();
  });
});
