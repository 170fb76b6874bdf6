import { type ProjectSettings, platformSettings } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

const egress = [
  { host: 'a.example', headers: { Authorization: 'Bearer x' } },
  { host: 'b.example', port: 81, scheme: 'http' as const, methods: ['POST' as const], paths: ['/x/'] },
]
const view: ProjectSettings = {
  version: 3,
  own: { egress },
  effective: { ...platformSettings, egress },
  origins: { egress: 'project' },
}

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.answers.getProjectSettings = view
  fake.answers.updateProjectSettings = view
})
afterEach(() => fake.close())

const run = (...args: string[]) => runAgainst(fake.url, ['egress', ...args])

test('ls shows the rules, and of headers the names', async () => {
  const { out } = await run('ls', '-p', 'web')
  expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['HOST', 'METHODS', 'PATHS', 'ADDED HEADERS'],
    ['a.example', 'GET HEAD', 'all', 'Authorization'],
    ['http://b.example:81', 'POST', '/x/'],
    [''],
  ])
  fake.answers.getProjectSettings = { ...view, effective: platformSettings }
  expect((await run('ls')).out).toContain('berth egress allow')
  expect((await run('ls', '--json')).out).toBe('')
})

test('allow and deny change the list of rules alone', async () => {
  expect((await run('allow', 'c.example', '--method', 'get', '-p', 'web')).out).toBe(
    'Changed egress of web.\n',
  )
  expect((await run('deny', 'a.example', '-p', 'web')).out).toBe('Changed egress of web.\n')
  expect(await run('deny', 'c.example')).toMatchObject({ code: 2 })
  expect(await run('allow', 'https://c.example/')).toMatchObject({ code: 2 })
})
