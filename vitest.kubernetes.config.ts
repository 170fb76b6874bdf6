import { defineConfig } from 'vitest/config'

// Tests against the cluster of KUBECONFIG.
export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.cluster.test.ts',
      'apps/*/src/**/*.cluster.test.ts',
      'deploy/**/*.cluster.test.ts',
      'test/kubernetes/**/*.cluster.test.ts',
    ],
    // A cluster is one place, and small ones are slow.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
})
