import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CheckpointManifest, type CheckpointRef, checkpointManifest } from '@berth/contract'
import { crashSteps } from '@berth/testing/crash-points'
import { afterEach, describe, expect, it } from 'vitest'
import { describeTree } from '../fixtures/describe-tree.ts'
import { carryOut, type KillPlan } from '../fixtures/kill-at-step.ts'
import { createPlace, git, type Place, sandboxes, writeFiles } from '../fixtures/place.ts'

const program = fileURLToPath(new URL('../fixtures/kill-at-step.ts', import.meta.url))

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

const [sandbox] = sandboxes
const kind = sandbox?.kind === 'bubblewrap' ? 'bubblewrap' : 'none'

const open = async () => {
  if (sandbox === undefined) throw new Error('no sandbox')
  const place = await createPlace(sandbox)
  places.push(place)
  return place
}

/** A session with a repository, one that the agent made inside, and loose files; none of it saved yet. */
const worked = async () => {
  const place = await open()
  const url = place.source('lib', { 'a.txt': 'one\n', 'b.txt': 'two\n' })
  await place.prepare([{ url }])
  const workspace = place.layout.outside.workspace
  git(workspace, 'init', '--quiet', 'lib/inner')
  writeFiles(workspace, { 'lib/a.txt': 'changed\n', 'lib/inner/x': 'x\n', loose: 'loose\n' })
  const plan: Omit<KillPlan, 'action' | 'killAt'> = {
    ...{ root: place.root, blobs: join(place.root, 'blobs'), sandbox: kind },
    repositories: [{ url }],
  }
  return { place, workspace, plan }
}

/** Runs in a process of its own; tells whether it was killed at its step. */
const killedAt = (plan: KillPlan): boolean => {
  const { signal, status, stderr } = spawnSync(process.execPath, [program, JSON.stringify(plan)], {
    encoding: 'utf8',
  })
  if (signal === null && status !== 0) throw new Error(stderr)
  return signal === 'SIGKILL'
}

const whole = (plan: Pick<KillPlan, 'blobs'>, manifest: CheckpointManifest): boolean => {
  const trees = manifest.trees.flatMap(({ packs, basePack }) => [
    ...packs.flatMap(({ parts }) => parts),
    ...(basePack?.parts ?? []),
  ])
  const talk = (manifest.conversation?.files ?? []).flatMap(({ parts }) => parts)
  return [...trees, ...talk].every(({ blob }) => existsSync(join(plan.blobs, blob)))
}

const manifestOf = (plan: Pick<KillPlan, 'blobs'>, { manifest }: CheckpointRef): CheckpointManifest =>
  checkpointManifest.parse(JSON.parse(readFileSync(join(plan.blobs, manifest.blob), 'utf8')))

describe('[P52] a runner that is killed', { timeout: 600_000 }, () => {
  it('at any step of a checkpoint has the one before or the new one, and makes the next', async () => {
    const { place, workspace, plan } = await worked()
    const before = describeTree(workspace)
    let killed = 0
    for (const killAt of crashSteps()) {
      if (!killedAt({ ...plan, action: 'checkpoint', killAt })) break
      killed += 1
      expect(describeTree(workspace)).toEqual(before)
      const stored = place.layout.outside.checkpoint
      if (existsSync(stored))
        expect(whole(plan, JSON.parse(readFileSync(stored, 'utf8')).manifest)).toBe(true)
    }
    expect(killed).toBeGreaterThan(2)
    const { checkpoint } = await carryOut({ ...plan, action: 'checkpoint', killAt: 0 })
    if (checkpoint === undefined) throw new Error('no checkpoint')
    expect(whole(plan, manifestOf(plan, checkpoint))).toBe(true)
    const other = await open()
    await carryOut({ ...plan, root: other.root, action: 'restore', checkpoint, killAt: 0 })
    expect(describeTree(other.layout.outside.workspace)).toEqual(before)
  })

  it('at any step of a restore on an empty disk begins again and leaves nothing behind', async () => {
    const { workspace, plan } = await worked()
    const before = describeTree(workspace)
    const { checkpoint } = await carryOut({ ...plan, action: 'checkpoint', killAt: 0 })
    const other = await open()
    const { outside } = other.layout
    const restore: KillPlan = { ...plan, root: other.root, action: 'restore', checkpoint, killAt: 0 }
    let killed = 0
    for (const killAt of crashSteps()) {
      if (!killedAt({ ...restore, killAt })) break
      killed += 1
      expect(existsSync(outside.state)).toBe(false)
      if (readdirSync(outside.workspace).length > 0) expect(describeTree(outside.workspace)).toEqual(before)
    }
    expect(killed).toBeGreaterThan(2)
    expect(describeTree(outside.workspace)).toEqual(before)
    // Between the move of the workspace and the note of it.
    rmSync(outside.state)
    writeFileSync(`${outside.state}.restoring`, '')
    await carryOut(restore)
    // In the middle of the move.
    rmSync(outside.state)
    rmSync(join(outside.workspace, 'loose'))
    writeFileSync(`${outside.state}.restoring`, '')
    await carryOut(restore)
    expect(describeTree(outside.workspace)).toEqual(before)
    // Between the note and the end of the mark.
    writeFileSync(`${outside.state}.restoring`, '')
    await carryOut(restore)
    expect(describeTree(outside.workspace)).toEqual(before)
    expect(readdirSync(outside.clones)).toEqual([])
    expect(existsSync(`${outside.state}.restoring`)).toBe(false)
    expect(git(join(outside.workspace, 'lib'), 'fsck', '--connectivity-only', '--no-dangling')).toBe('')
  })

  it('at any step of setting files back does it again and leaves nothing behind', async () => {
    const { place, workspace, plan } = await worked()
    const before = describeTree(workspace)
    const { checkpoint } = await carryOut({ ...plan, action: 'checkpoint', killAt: 0 })
    const setBack: KillPlan = { ...plan, action: 'set-back', checkpoint, killAt: 0 }
    const change = () => {
      writeFiles(workspace, { 'lib/a.txt': 'later\n', 'lib/new/file': 'n\n', another: 'a\n' })
      rmSync(join(workspace, 'lib/b.txt'))
      rmSync(join(workspace, 'lib/inner'), { recursive: true })
      git(workspace, 'init', '--quiet', 'lib/second')
      writeFiles(workspace, { 'lib/second/s': 's\n' })
    }
    let killed = 0
    for (const killAt of crashSteps()) {
      change()
      if (!killedAt({ ...setBack, killAt })) break
      killed += 1
      await carryOut(setBack)
      expect([killAt, describeTree(workspace)]).toEqual([killAt, before])
      expect(readdirSync(join(place.root, 'session')).filter((name) => name.includes('set-back'))).toEqual([])
    }
    expect(killed).toBeGreaterThan(1)
    expect(describeTree(workspace)).toEqual(before)
  })
})
