import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { providersReferencePage } from './reference.ts';

// `npm run generate` runs this file with GENERATE=1.
test('docs/reference/providers.md is what the profiles and the measurements say', () => {
  const path = fileURLToPath(new URL('../../docs/reference/providers.md', import.meta.url));
  if (process.env.GENERATE === '1') writeFileSync(path, providersReferencePage());
  expect(readFileSync(path, 'utf8')).toBe(providersReferencePage());
});
