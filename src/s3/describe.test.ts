import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeOperations } from './describe.ts';

const PAGE = new URL('../../docs/s3-compatibility.md', import.meta.url);
const TABLE = /\| operation \| request [\s\S]*?\n\nAnswered 501 [^\n]*\n/;

it('docs/s3-compatibility.md has the table of the registry (npm run generate writes it)', async () => {
  const page = await readFile(PAGE, 'utf8');
  if (process.env.GENERATE === '1') await writeFile(PAGE, page.replace(TABLE, describeOperations()));
  expect(await readFile(PAGE, 'utf8')).toContain(describeOperations());
});
