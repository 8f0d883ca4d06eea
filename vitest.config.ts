import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    // processes, not threads: tests start servers, set signals and load native code
    pool: 'forks',
    // one more than cores: many tests wait, for a process to start or a disk to sync. Vitest's own is one less
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
});
