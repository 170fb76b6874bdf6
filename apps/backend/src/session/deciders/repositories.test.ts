import { limits, type RunnerFactBody, type SessionState } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Command } from '../command.ts'
import * as at from '../fixtures/situations.ts'

const { run, person } = at

const add = (url: string, name?: string): Command => ({
  kind: 'add-repository',
  actor: person,
  repository: { url, name },
})
const remove = (name: string, more: { force?: boolean; seen?: number } = {}): Command => ({
  kind: 'remove-repository',
  actor: person,
  name,
  force: false,
  seen: 0,
  ...more,
})
const retry = (name: string): Command => ({ kind: 'retry-repository', actor: person, name })
const told = (n: number, data: Extract<RunnerFactBody, { type: 'repository.state' }>['data']): Command =>
  at.facts({ generation: 1, n }, { type: 'repository.state', data })

const idle = (...commands: Command[]): SessionState => run(at.stateIn('idle'), ...commands).state
const shown = ({ summary }: SessionState) => summary.repositories.map(({ name, state }) => [name, state])

describe('repositories of a session', () => {
  it('are added by name, once, up to the limit', () => {
    const state = idle(add('https://example.com/app.git'), add('/src/lib', 'second'))
    expect(shown(state)).toEqual([
      ['app', 'pending'],
      ['second', 'pending'],
    ])
    expect(state.repositories.map(({ name }) => name)).toEqual(['app', 'second'])
    for (const clash of ['app', 'APP', 'workspace'])
      expect(() => run(state, add('/src/x', clash))).toThrow(/another name/)
    const full = Array.from({ length: limits.repositories }, (_, index) => add(`/src/r${index}`))
    expect(() => run(idle(...full), add('/src/more'))).toThrow(/at most 16/)
  })

  it('show how their clone went, and try again only what failed', () => {
    const cloning = idle(add('/src/app'), told(3, { name: 'app', state: 'cloning' }))
    expect(shown(cloning)).toEqual([['app', 'cloning']])
    expect(() => run(cloning, retry('app'))).toThrow(/only a clone that failed/)
    const failed = run(cloning, told(4, { name: 'app', state: 'failed', message: 'Gone.' })).state
    expect(failed.summary.repositories[0]).toMatchObject({ state: 'failed', message: 'Gone.' })
    const again = run(failed, retry('app')).state.summary.repositories[0]
    expect([again?.state, again?.message]).toEqual(['pending', undefined])
    const ready = run(failed, told(5, { name: 'app', state: 'ready', branch: 'main', base: 'a'.repeat(40) }))
    expect(ready.state.summary.repositories[0]).toMatchObject({ state: 'ready', branch: 'main' })
    expect(ready.state.summary.repositories[0]?.message).toBeUndefined()
  })

  it('wait again when the runner that cloned them is gone', () => {
    const cloning = idle(add('/src/app'), told(3, { name: 'app', state: 'cloning' }))
    expect(shown(run(cloning, at.end(1)).state)).toEqual([['app', 'pending']])
  })

  it('go away when no turn can have left anything, or by force', () => {
    const working = run(at.stateIn('working'), add('/src/app')).state
    expect(() => run(working, remove('app', { seen: 1 }))).toThrow(/may leave work/)
    expect(shown(run(working, remove('app', { force: true })).state)).toEqual([])
    const after = run(working, at.facts({ generation: 1, n: 3 }, at.endTurn(0))).state
    expect(() => run(after, remove('app', { seen: 0 }))).toThrow(/has run in this moment/)
    const { repositories } = run(after, remove('app', { seen: 1 })).state
    expect(repositories).toEqual([])
  })

  it('take their part of the changes along', () => {
    const total = { files: 2, insertions: 3, deletions: 1 }
    const snapshot = { commit: 'b'.repeat(40), commits: 0, total, turn: total, files: [] }
    const patch = { patch: { text: '' }, turnPatch: { text: '' } }
    const repositories = ['app', 'lib'].map((name) => ({ name, ...snapshot, ...patch }))
    const state = idle(
      add('/src/app'),
      add('/src/lib'),
      at.facts(
        { generation: 1, n: 3 },
        { type: 'workspace.snapshot', data: { turn: at.turns[0], repositories } },
      ),
    )
    expect(state.summary.diff.files).toBe(4)
    expect(run(state, remove('app')).state.summary.diff).toEqual(total)
  })
})
