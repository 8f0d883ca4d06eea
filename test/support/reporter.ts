import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

export interface Skip {
  readonly name: string;
  readonly reason: string;
  readonly variable: string | undefined;
}

/** What `script/test` reads back: the numbers of its closing line, and every skip with its reason. */
export interface Results {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
  readonly failures: readonly string[];
}

/**
 * Counts what ran and writes it as JSON to `BUCKETWRIGHT_TEST_RESULTS`. A file that does not load and an error outside
 * of any test count as failures: a run must not look better for them.
 */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const target = process.env.BUCKETWRIGHT_TEST_RESULTS;
    if (target) writeFileSync(target, JSON.stringify(resultsOf(modules, unhandled)));
  }
}

function resultsOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Results {
  let passed = 0;
  const failures: string[] = unhandled.map((error) => `outside of any test: ${error.message}`);
  const skipped: Skip[] = [];
  for (const module of modules) {
    const outside = [module, ...module.children.allSuites()].flatMap((owner) => owner.errors());
    failures.push(...outside.map((error) => `${module.relativeModuleId}: ${error.message}`));
    for (const suite of module.children.allSuites()) {
      const { skipReason, skipVariable } = suite.meta();
      const empty = suite.children.allTests().next().done === true;
      // its tests come from a list that is empty where the real part is missing: still a skip, never silence
      if (skipReason !== undefined && empty) {
        const name = `${module.relativeModuleId} > ${suite.fullName}`;
        skipped.push({ name, reason: skipReason, variable: skipVariable });
      }
    }
    for (const test of module.children.allTests()) {
      const name = `${module.relativeModuleId} > ${test.fullName}`;
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failures.push(name);
      // a hook that failed leaves its tests skipped or pending: nobody asked for that
      else if (state === 'pending' || suitesOf(test).some((suite) => suite.errors().length > 0)) failures.push(name);
      else skipped.push({ name, ...skipOf(test) });
    }
  }
  return { passed, failed: failures.length, skipped, failures };
}

function skipOf(test: TestCase): Pick<Skip, 'reason' | 'variable'> {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const meta = [test, ...suitesOf(test)].map((owner) => owner.meta()).find((each) => each.skipReason !== undefined);
  return { reason: meta?.skipReason ?? note ?? 'no reason given', variable: meta?.skipVariable };
}

/** The suites a test lies in, innermost first, and its file. */
function suitesOf(test: TestCase): TestCase['parent'][] {
  const suites = [test.parent];
  for (let owner = test.parent; owner.type === 'suite'; owner = owner.parent) suites.push(owner.parent);
  return suites;
}
