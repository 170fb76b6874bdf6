import { type ProjectSettings, platformSettings } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

const view: ProjectSettings = {
  version: 3,
  own: { model: 'm-1', env: { A: '1', B: '2' }, instructions: 'Be brief.\nSay so.' },
  effective: {
    ...platformSettings,
    model: 'm-1',
    env: { A: '1', B: '2' },
    instructions: 'Be brief.\nSay so.',
  },
  origins: { model: 'project', env: 'project', instructions: 'project', turnMinutes: 'platform' },
}

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.answers.getProjectSettings = view
  fake.answers.updateProjectSettings = view
})
afterEach(() => fake.close())

const run = (...args: string[]) => runAgainst(fake.url, ['project', 'settings', ...args])

test('get shows what counts, what is own, and where each comes from', async () => {
  const { out } = await run('get', 'web', 'model', 'turnMinutes', 'budgetUsd')
  expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['SETTING', 'COUNTS', 'FROM', 'OWN'],
    ['model', 'm-1', 'project', 'm-1'],
    ['turnMinutes', '60', 'platform'],
    ['budgetUsd', '-', '-'],
    [''],
  ])
  expect((await run('get', 'web')).out).toContain('repositoryHooks')
  expect((await run('get', 'web', '--own')).out).not.toContain('turnMinutes')
  expect(JSON.parse((await run('get', 'web', 'model', '--json')).out)).toEqual({
    version: 3,
    own: { model: 'm-1' },
    effective: { model: 'm-1' },
    origins: { model: 'project' },
  })
})

test('one setting alone is printed as it is', async () => {
  expect((await run('get', 'web', 'instructions')).out).toBe('Be brief.\nSay so.\n')
  expect((await run('get', 'web', 'env')).out).toBe('{\n  "A": "1",\n  "B": "2"\n}\n')
})

test('set and unset say what they changed, and refuse without a change', async () => {
  expect((await run('set', 'web', 'turnMinutes=30', 'env.C=3')).out).toBe(
    'Changed turnMinutes, env of web.\n',
  )
  expect((await run('unset', 'web', 'model', 'env.A')).out).toBe('Changed model, env of web.\n')
  const before = fake.requests.filter((line) => line.startsWith('PATCH')).length
  const wrong = await run('set', 'web', 'turnMinutes=soon', 'nonsense=1')
  expect(wrong.code).toBe(2)
  expect(wrong.err).toContain('turnMinutes: expected a number, not soon')
  expect(wrong.err).toContain('nonsense: no setting is called so')
  expect((await run('get', 'web', 'modle')).code).toBe(2)
  expect(fake.requests.filter((line) => line.startsWith('PATCH'))).toHaveLength(before)
})
