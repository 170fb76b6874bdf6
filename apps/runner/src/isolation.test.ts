import type { RunnerFactBody } from '@berth/contract'
import { createNoSandbox, type Sandbox } from '@berth/sandbox'
import { expect, it } from 'vitest'
import { hiddenPaths, SandboxUnfit, testIsolation } from './isolation.ts'

const context = { cwd: '/', env: {}, mounts: [], hidden: [] }

it('says plainly that there is no sandbox', async () => {
  const facts: RunnerFactBody[] = []
  await testIsolation(createNoSandbox(), context, (body) => facts.push(body))
  expect(facts).toMatchObject([{ type: 'isolation.tested', data: { sandboxed: false, sandbox: 'none' } }])
})

it('refuses a sandbox that does not hold, with the way to repair it', async () => {
  const broken: Sandbox = {
    ...createNoSandbox(),
    kind: 'bubblewrap',
    check: async () => ({ ok: false, problem: 'It is not installed.', repair: 'apt-get install bubblewrap' }),
  }
  const facts: RunnerFactBody[] = []
  const error = await testIsolation(broken, context, (body) => facts.push(body)).catch((caught) => caught)
  expect(error).toBeInstanceOf(SandboxUnfit)
  expect(error.message).toContain('apt-get install bubblewrap')
  expect(facts.map(({ type }) => type)).toEqual(['start.step', 'isolation.tested', 'start.step'])
  expect(facts[1]).toMatchObject({ data: { ok: false } })
})

it('hides all paths but those which the agent is shown', () => {
  expect(
    hiddenPaths(['/data', undefined, '/', '/home', '/work', '/workspace'], ['/workspace', '/home/agent']),
  ).toEqual(['/data', '/work'])
})
