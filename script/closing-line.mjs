/**
 * The end of script/test: every failure and every skip with its reason, then the one closing line.
 *
 *   node script/closing-line.mjs PASSED FAILED no-skips|'' RESULTS.json...
 *
 * PASSED and FAILED count the steps before the tests; a results file (test/support/reporter.ts) that is missing counts
 * as a failure, since its run died before it could tell.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const [stepsPassed, stepsFailed, noSkips, ...files] = process.argv.slice(2);
let passed = Number(stepsPassed);
let failed = Number(stepsFailed);
const skips = [];
const failures = [];

for (const file of files) {
  if (!existsSync(file)) {
    failures.push(`the test run "${basename(file, '.json')}" ended without results`);
    continue;
  }
  const results = JSON.parse(readFileSync(file, 'utf8'));
  passed += results.passed;
  failures.push(...results.failures);
  skips.push(...results.skipped);
}

const forbidden = (skip) => noSkips === 'no-skips' && skip.variable === undefined;
if (skips.length > 0) {
  console.log('\nSkipped:');
  const byReason = groupByReason();
  for (const [reason, group] of byReason) {
    const variable = group[0].variable === undefined ? '' : ` (set ${group[0].variable} to run)`;
    console.log(`  ${reason}${variable}`);
    for (const { name } of group) console.log(`    - ${name}`);
  }
}
for (const skip of skips.filter(forbidden)) failures.push(`skipped, which is forbidden here: ${skip.name}`);
if (failures.length > 0) {
  console.log('\nFailed:');
  for (const failure of failures) console.log(`  - ${failure}`);
}

failed += failures.length;
const skipped = skips.filter((skip) => !forbidden(skip)).length;
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

function groupByReason() {
  const groups = new Map();
  for (const skip of skips) groups.set(skip.reason, [...(groups.get(skip.reason) ?? []), skip]);
  return groups;
}
