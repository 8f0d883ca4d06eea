import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeOperations } from './describe.ts';

it('docs/s3-compatibility.md has the table of the registry', async () => {
  const page = await readFile(new URL('../../docs/s3-compatibility.md', import.meta.url), 'utf8');
  expect(page).toContain(describeOperations());
});
