import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { builtInScenarios } from '@berth/scripted-model'
import { describe, expect, it, vi } from 'vitest'
import { git, writeFiles } from './fixtures/place.ts'
import { createRig, type Rig } from './fixtures/runner-process.ts'

const source = (rig: Rig, name: string) => {
  const path = join(rig.sources, name)
  git(rig.sources, 'init', '--quiet', name)
  writeFiles(path, { 'readme.md': `# ${name}\n` })
  git(path, 'add', '--all')
  git(path, 'commit', '--quiet', '-m', 'First')
  return path
}

const withRig = async (test: (rig: Rig) => Promise<void>) => {
  const rig = await createRig({ scenarios: builtInScenarios })
  try {
    await test(rig)
  } finally {
    await rig.close()
  }
}

const add = (rig: Rig, url: string) =>
  rig.home.append('repository.added', { repository: { url, name: url.split('/').at(-1) ?? '' } })

const state = (rig: Rig, name: string, wanted: string, after = 0) =>
  rig.home.waitFor(
    'repository.state',
    ({ seq, data }) => seq > after && data.name === name && data.state === wanted,
  )

/** What the last tool printed. */
const printed = (rig: Rig) => rig.home.of('tool.result').at(-1)?.data.text

const ran = async (rig: Rig, command: string) => {
  expect((await rig.prompt(`run: ${command}`).ended).data.result).toBe('success')
  return printed(rig)
}

/** The notes that Claude Code passed on to the model. */
const notes = (rig: Rig) =>
  rig.model.requests.flatMap(
    ({ body }) => JSON.stringify(body).match(/The repositories of this session[^<]*/g) ?? [],
  )

// Each has processes of its own, and most of a test is waiting for them.
describe.concurrent('repositories of a live session', { timeout: 90_000 }, () => {
  it('are added beside a turn, and the agent stays where it is and is told', () =>
    withRig(async (rig) => {
      rig.home.welcome.repositories = [{ url: source(rig, 'app') }]
      const far = source(rig, 'far')
      rig.start()
      expect(await ran(rig, 'pwd')).toMatch(/\/app$/)
      const slow = rig.prompt('count slowly to 40')
      const begun = await slow.started
      await rig.home.waitFor('block.delta', (event) => event.seq > begun.seq)
      const { seq } = add(rig, far)
      const ready = await state(rig, 'far', 'ready', seq)
      expect(ready.data).toMatchObject({ branch: 'main', base: expect.stringMatching(/^[0-9a-f]{40}$/) })
      await slow.ended
      expect(await ran(rig, 'pwd; cat ../far/readme.md')).toMatch(/\/app\n# far$/)
      expect(new Set(notes(rig)).size).toBe(1)
      expect(notes(rig)[0]).toMatch(/far is now at .*\/far, cloned from/)
      const snapshot = rig.home.of('workspace.snapshot').at(-1)
      expect(snapshot?.data.repositories.map(({ name }) => name)).toEqual(['app', 'far'])
      expect(rig.home.of('workspace.ready')[0]?.data.directory).toBe('app')
    }))

  it('go away at the end of a turn, and nothing of them is left', () =>
    withRig(async (rig) => {
      rig.home.welcome.repositories = ['app', 'lib'].map((name) => ({ url: source(rig, name) }))
      rig.start()
      const slow = rig.prompt('count slowly to 40')
      await rig.home.waitFor('block.delta')
      const { seq } = rig.home.append('repository.removed', { name: 'lib' })
      const removed = state(rig, 'lib', 'removed', seq)
      const ended = await slow.ended
      expect((await removed).seq).toBeLessThan(ended.seq)
      expect(rig.home.of('workspace.snapshot').at(-1)?.seq).toBeLessThan((await removed).seq)
      expect(await ran(rig, 'ls | grep -v artifacts')).toBe('app')
      expect(notes(rig)[0]).toMatch(/lib was removed from/)
      await vi.waitFor(() => expect(readdirSync(join(rig.root, 'session/clones'))).toEqual([]), 30_000)
    }))

  it('may be the one in which the agent works: it goes on there, and remembers', () =>
    withRig(async (rig) => {
      const url = source(rig, 'app')
      rig.home.welcome.repositories = [{ url }]
      rig.start()
      await ran(rig, 'echo first')
      const conversation = rig.home.of('agent.ready').at(-1)?.data.conversation
      rig.home.append('repository.removed', { name: 'app' })
      expect(await ran(rig, 'pwd; ls -A | wc -l')).toMatch(/\/app\n0$/)
      const { seq } = add(rig, url)
      await state(rig, 'app', 'ready', seq)
      expect(await ran(rig, 'pwd; cat readme.md')).toMatch(/\/app\n# app$/)
      expect(rig.home.of('agent.ready').at(-1)?.data.conversation).toBe(conversation)
      expect(rig.home.of('runner.notice')).toEqual([])
    }))

  it('that fail are told, and cloned when they are tried again', () =>
    withRig(async (rig) => {
      rig.start()
      await ran(rig, 'echo begin > loose.txt')
      const url = join(rig.sources, 'late')
      const { seq } = add(rig, url)
      const failed = await state(rig, 'late', 'failed', seq)
      expect(failed.data.message).toMatch(/late .*no such directory/)
      await ran(rig, 'ls | grep -v artifacts')
      expect(notes(rig).at(-1)).toMatch(/late is not there/)
      source(rig, 'late')
      const retried = rig.home.append('repository.retried', { name: 'late' })
      await state(rig, 'late', 'ready', retried.seq)
      expect(await ran(rig, 'ls | grep -v artifacts; cat loose.txt late/readme.md')).toBe(
        'late\nloose.txt\nbegin\n# late',
      )
      const names = rig.home.of('workspace.snapshot').at(-1)?.data.repositories
      expect(names?.map(({ name, total }) => [name, total.files])).toEqual([
        ['workspace', 1],
        ['late', 0],
      ])
    }))

  it('never replace what the agent has put at their place', () =>
    withRig(async (rig) => {
      rig.start()
      await ran(rig, 'mkdir app && echo mine > app/mine.txt')
      const { seq } = add(rig, source(rig, 'app'))
      expect((await state(rig, 'app', 'failed', seq)).data.message).toMatch(/something else is at app/)
      expect(await ran(rig, 'cat app/mine.txt')).toBe('mine')
      rig.home.append('repository.removed', { name: 'app' })
      expect(await ran(rig, 'cat app/mine.txt')).toBe('mine')
    }))

  it('are as they should be after a start, whatever was asked for meanwhile', () =>
    withRig(async (rig) => {
      const [app, lib] = ['app', 'lib'].map((name) => source(rig, name))
      rig.home.welcome.repositories = [{ url: app ?? '' }]
      const runner = rig.start()
      await ran(rig, 'echo old > new.txt')
      runner.child.kill('SIGKILL')
      await runner.exited
      rig.home.nextGeneration()
      rig.home.welcome.repositories = [
        { url: app ?? '', since: 50 },
        { url: lib ?? '', since: 51 },
      ]
      rig.home.welcome.directory = 'app'
      rig.start()
      expect(await ran(rig, 'pwd; ls . ../lib')).toMatch(/\/app\n\.:\nreadme.md\n\n\.\.\/lib:\nreadme.md$/)
      expect(existsSync(join(rig.root, 'session/workspace/app/new.txt'))).toBe(false)
      expect(readdirSync(join(rig.root, 'session/clones'))).toEqual([])
    }))
})
