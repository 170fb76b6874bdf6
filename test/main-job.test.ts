import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { git, sampleRepo } from './support/sample.ts'
import { project, withWorld } from './support/world.ts'

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-repos-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const ended = (event: { type: string }) => event.type === 'turn.ended'

describe('the main job', { timeout: 120_000 }, () => {
  it('[P11] takes a prompt to a result on a branch, with the real Claude Code in a sandbox', () =>
    withWorld(async ({ client, until, settled, events }) => {
      const url = await sampleRepo(parent)
      const before = await git(url, 'rev-parse', 'HEAD')
      const created = await client.createSession({
        params: { project },
        body: { prompt: 'Fix the failing test', repositories: [{ url }] },
      })
      expect(created).toMatchObject({ modelSource: 'scripted', status: { phase: 'pending' } })
      const params = { project, session: created.id }
      const log = await until(created.id, ended)
      expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
      const tested = log.find((event) => event.type === 'isolation.tested')
      expect(tested).toMatchObject({ data: { sandbox: 'bubblewrap', sandboxed: true, ok: true } })

      const idle = await settled(created.id, ({ status }) => status.phase === 'idle')
      expect(idle).toMatchObject({ turns: 1, diff: { files: 1 }, sandboxed: true })
      expect(idle.usage.requests).toBeGreaterThan(2)
      expect(idle.usage.outputTokens).toBeGreaterThan(0)

      await client.stopSession({ params })
      await settled(created.id, ({ status }) => status.phase === 'stopped')
      const { repositories } = await client.getChanges({ params })
      expect(repositories).toMatchObject([
        { name: 'tidy-durations', total: { files: 1 }, files: [{ status: 'modified' }] },
      ])
      const patch = await client.getPatch({ params })
      expect(patch).toMatch(/^diff --git a\/src\//)
      const [repository] = repositories
      const path = repository?.files[0]?.path ?? ''
      const { stream } = await client.getChangedFile({
        params,
        query: { repository: 'tidy-durations', path },
      })
      const content = await new Response(stream).text()
      expect(content).not.toBe(await readFile(join(url, path), 'utf8'))

      expect(await git(url, 'status', '--porcelain'), 'the origin is untouched').toBe('')
      expect(await git(url, 'rev-parse', 'HEAD')).toBe(before)
      const state = checkLog(await events(created.id))
      expect(state.summary).toMatchObject({ status: { phase: 'stopped', reason: 'user' }, turns: 1 })
    }))

  it('[P12] keeps conversation and files over stop and resume, and the author is the owner', () =>
    withWorld(async ({ client, until, settled, events }) => {
      const url = await sampleRepo(parent, 'kept')
      const { id } = await client.createSession({
        params: { project },
        body: { prompt: 'write notes.md: hello', repositories: [{ url }] },
      })
      const params = { project, session: id }
      const first = await until(id, ended)
      await client.stopSession({ params })
      await settled(id, ({ status }) => status.phase === 'stopped')
      await client.createPrompt({
        params,
        body: {
          content:
            'run: cat notes.md && echo && git add -A && git commit -qm notes && git log -1 --format=%an && git branch --show-current',
        },
      })
      const log = await until(id, ended, { after: first.at(-1)?.seq ?? 0 })
      const result = log.find((event) => event.type === 'tool.result')
      const { name } = (await client.getMe()).principal
      expect(result).toMatchObject({ data: { isError: false } })
      expect(JSON.stringify(result?.data)).toContain(`hello\\n${name}\\nberth/${id}`)
      const ready = (await events(id)).flatMap((event) =>
        event.type === 'agent.ready' ? [event.data.conversation] : [],
      )
      expect(new Set(ready.filter((conversation) => conversation !== undefined)).size).toBeLessThanOrEqual(1)
      checkLog(await events(id))
    }))

  it('[P13] runs several sessions at once', () =>
    withWorld(async ({ client, until, events }) => {
      const words = ['one', 'two', 'three', 'four']
      const sessions = await Promise.all(
        words.map((word) => client.createSession({ params: { project }, body: { prompt: `echo: ${word}` } })),
      )
      await Promise.all(
        sessions.map(async ({ id }, index) => {
          const log = await until(id, ended)
          const text = log.findLast((event) => event.type === 'block.completed')
          expect(text).toMatchObject({ data: { text: words[index] } })
          checkLog(await events(id))
        }),
      )
    }))
})
