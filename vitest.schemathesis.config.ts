import { defineConfig } from 'vitest/config'

// Tests that need Python: schemathesis against the whole API.
export default defineConfig({
  test: {
    include: ['test/schemathesis/**/*.schemathesis.test.ts'],
    // Each asks with one process, and has a backend to itself.
    maxConcurrency: 2,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
})
