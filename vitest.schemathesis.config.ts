import { defineConfig } from 'vitest/config'

// Tests that need Python: schemathesis against the whole API.
export default defineConfig({
  test: {
    include: ['test/schemathesis/**/*.schemathesis.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
