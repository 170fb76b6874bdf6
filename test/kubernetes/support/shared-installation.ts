import { afterAll, afterEach, beforeAll } from 'vitest'
import { evidence } from './evidence.ts'
import { type Installation, type Values, withInstallation } from './installation.ts'

/**
 * One installation for all tests of a file. It is removed after the last of them, which fails when something is left behind.
 * A test that fails prints what there is to see in the cluster.
 */
export const sharedInstallation = (
  values: (namespace: string) => Values | Promise<Values>,
): (() => Installation) => {
  let shared: Installation | undefined
  let removed: Promise<void> | undefined
  const { promise: used, resolve: release } = Promise.withResolvers<void>()

  beforeAll(async () => {
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
    removed = withInstallation(async (installation) => {
      shared = installation
      resolve()
      await used
    }, values)
    removed.catch(reject)
    await ready
  })

  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || shared === undefined) return
    console.error(await evidence([shared.namespace, ...(await shared.projects())]))
  })

  afterAll(async () => {
    release()
    await removed
  })

  return () => {
    if (shared === undefined) throw new Error('There is no installation.')
    return shared
  }
}
