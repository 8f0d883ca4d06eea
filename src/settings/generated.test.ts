import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { jsonSchema, manifestReferencePage, referencePage } from './index.ts';

// `npm run generate` runs this file with GENERATE=1: what the test compares and what is committed have one source.
test.each([
  ['schema/bucketwright.schema.json', () => `${JSON.stringify(jsonSchema(), null, 2)}\n`],
  ['docs/reference/settings.md', referencePage],
  ['docs/reference/manifest.md', manifestReferencePage],
])('%s is what the declarations say', (file, render) => {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  if (process.env.GENERATE === '1') writeFileSync(path, render());
  expect(readFileSync(path, 'utf8')).toBe(render());
});
