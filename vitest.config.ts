import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'tools/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // They need a cluster (`npm run test:kubernetes`), or Python (`npm run test:schemathesis`).
    exclude: ['**/*.cluster.test.ts', '**/*.schemathesis.test.ts'],
    // Most test files import the same modules; no test changes what another one could see.
    isolate: false,
    // Many tests wait for processes of their own: fewer workers would leave cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Conditions are waited for, however busy the machine is.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
