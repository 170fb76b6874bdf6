import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBlobHome, createCheckpointRig, restoreIn } from '../../apps/runner/src/fixtures/checkpoints.ts'
import { createPlace, git, sandboxes, turn } from '../../apps/runner/src/fixtures/place.ts'
import { type Figure, percentile } from '../figure.ts'

const files = 10_000
const changed = 10
const rounds = 10

/** DESIGN: a turn that changed 10 files of 10,000 is saved in ≤ 300 ms, before the next one may start. */
export const checkpoint: Figure = {
  name: 'checkpoint',
  about: 'a repository of 10,000 files in which each turn changes 10, in the sandbox; blobs in memory',
  run: async () => {
    const [sandbox] = sandboxes
    if (sandbox === undefined) throw new Error('no sandbox works here')
    const [place, other] = [await createPlace(sandbox), await createPlace(sandbox)]
    try {
      const url = place.source('lib', {})
      write(url, files)
      git(url, 'add', '--all')
      git(url, 'commit', '--quiet', '-m', 'Many')
      const { memory } = await place.prepare([{ url }])
      const { home, blobs } = createBlobHome()
      const rig = createCheckpointRig({ place, memory, sandbox, home })
      const first = await timed(() => rig.workspace.saveQuietly())
      await rig.checkpoint()
      const saves: number[] = []
      const packs: number[] = []
      for (let round = 0; round < rounds; round++) {
        for (let index = 0; index < changed; index++)
          writeFileSync(
            join(place.layout.outside.workspace, 'lib', nameOf(index * 997)),
            `${round} changed\n`,
          )
        saves.push(await timed(() => rig.workspace.save(turn)))
        packs.push(await timed(() => rig.checkpoint()))
      }
      const last = await rig.checkpoint()
      const restore = await timed(() =>
        restoreIn(other, sandbox, { home, checkpoint: last, more: { repositories: [{ url }] } }),
      )
      const bytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
      return [
        {
          what: 'save after a turn p50',
          value: percentile(saves, 0.5),
          unit: 'ms',
          goal: { atMost: 300 },
          note: `worst ${Math.max(...saves).toFixed(0)} ms of ${rounds}; the first reading of all files, beside the agent's start, ${first.toFixed(0)} ms`,
        },
        {
          what: 'pack and store, behind the turns, p50',
          value: percentile(packs, 0.5),
          unit: 'ms',
          note: `with another look at all files; ${(bytes / 1024 ** 2).toFixed(1)} MiB stored in ${rounds + 2} checkpoints`,
        },
        {
          what: 'restore on an empty disk',
          value: restore,
          unit: 'ms',
          note: 'history, index and 10,000 files',
        },
      ]
    } finally {
      place.remove()
      other.remove()
    }
  },
}

const nameOf = (index: number) => `dir-${Math.floor(index / 100)}/file-${index}.txt`

const write = (root: string, count: number): void => {
  for (let index = 0; index < count; index++) {
    const path = join(root, nameOf(index))
    if (index % 100 === 0) mkdirSync(join(root, `dir-${index / 100}`), { recursive: true })
    writeFileSync(path, `file ${index}\n${'some text in it\n'.repeat(20)}`)
  }
}

const timed = async (task: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await task()
  return performance.now() - began
}
