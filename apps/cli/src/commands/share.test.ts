import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { runAgainst, testContext } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let session: string
beforeEach(async () => {
  fake = await startFakeBackend()
  const context = testContext(fake.url)
  await runCli(['run', '--detach', '--private', 'Do it'], context)
  session = context.stdout().trim()
  fake.answers.getSharing = {
    version: 3,
    visibility: 'private',
    shares: [{ kind: 'user', id: 'bob', role: 'editor' }],
  }
  fake.answers.updateSharing = { version: 4, visibility: 'project', shares: [] }
})
afterEach(() => fake.close())

const share = (...args: string[]) => runAgainst(fake.url, ['share', session, ...args])

test('shows who sees a session, and changes nothing', async () => {
  expect((await share()).out).toBe(
    'Private: its owner and the project’s admins see it.\nIt is shared with:\n  user:bob (editor)\n',
  )
  expect(fake.said.updateSharing).toBeUndefined()
})

test('adds and takes away, and sends the list as a whole', async () => {
  const { out } = await share(
    '--open',
    '--with',
    'user:eve',
    '--with',
    'group:/web=editor',
    '--without',
    'user:bob',
  )
  expect(fake.said.updateSharing?.body).toEqual({
    visibility: 'project',
    shares: [
      { kind: 'user', id: 'eve', role: 'viewer' },
      { kind: 'group', id: '/web', role: 'editor' },
    ],
  })
  expect(out).toBe('The whole project sees it.\n')
})

test('refuses what it can’t mean', async () => {
  expect((await share('--private', '--open')).code).toBe(2)
  expect((await share('--with', 'user:eve=owner')).err).toContain('owner is no role of a share')
  expect((await share('--with', 'eve')).err).toContain('does not say who')
})
