import { startPostgres } from '@berth/testing'
import { afterAll } from 'vitest'
import { storeConformance } from '../conformance/index.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

storeConformance('PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  return {
    opener: {
      module: new URL('./postgres-store.ts', import.meta.url).href,
      name: 'createPostgresStore',
      options: { url },
    },
    dispose: () => postgres.dropDatabase(url),
  }
})
