import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeConformance } from '../conformance/index.ts'

storeConformance('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-store-'))
  return {
    opener: {
      module: new URL('./sqlite-store.ts', import.meta.url).href,
      name: 'createSqliteStore',
      options: { file: join(directory, 'berth.db') },
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  }
})
