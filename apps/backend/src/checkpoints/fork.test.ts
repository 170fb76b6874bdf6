import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  type AnyEvent,
  type CheckpointManifest,
  emptyTranscript,
  foldTranscript,
  parseEvent,
  type SessionSummary,
} from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { createDirectoryBlobs } from '../blobs/directory.ts'
import type { BlobStore } from '../blobs/port.ts'
import { eventually, ownerToken, type TestBackend, withBackend } from '../test-backend.ts'
import { savedSession } from './fixtures/saved-session.ts'
import { writeFiles } from './fixtures/work.ts'

const fork = (backend: TestBackend, session: string, body: object = {}, token?: string) =>
  backend.call<SessionSummary & { code: string; detail: string }>(
    `/api/projects/default/sessions/${session}/fork`,
    { body, ...(token === undefined ? {} : { token }) },
  )

const historyOf = async (backend: TestBackend, session: string, project = 'default'): Promise<AnyEvent[]> => {
  const { body } = await backend.call(`/api/projects/${project}/sessions/${session}/history`)
  return String(body)
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [parseEvent(JSON.parse(line))]))
}

const chat = (events: AnyEvent[]): string[] => {
  const transcript = emptyTranscript()
  for (const event of events) foldTranscript(transcript, event)
  return [...transcript.entries.values()].flatMap((entry) => {
    if (entry.kind === 'prompt') return `${entry.state}: ${JSON.stringify(entry.content)}`
    return entry.kind === 'text' ? entry.text : []
  })
}

const taken = (text: string) => `taken: [{"type":"text","text":"${text}"}]`

const read = async (backend: TestBackend, session: string, path: string) => {
  const { content } = await backend.checkpoints.files.read(session, { path })
  return String(await buffer(content))
}

const purge = async (backend: TestBackend, session: string) => {
  await backend.call(`/api/projects/default/settings`, {
    method: 'PATCH',
    body: { undoHours: 0 },
    headers: { 'if-match': '"1"' },
  })
  await backend.call(`/api/projects/default/sessions/${session}`, { method: 'DELETE' })
  await eventually('the purge', async () => {
    const { state } = await backend.runtime.observe(session)
    // One that is still on its way is ended by the backend.
    if (state === 'running') backend.runtime.end(session, 'exited')
    return (await backend.parts.store.state(session)) === undefined
  })
}

/** The size of a blob; undefined when it isn't there. */
const sizeOf = async (blobs: BlobStore, scope: string, blob: string): Promise<number | undefined> => {
  const found = await blobs.get(scope, blob)
  found?.content.destroy()
  return found?.size
}

describe('a fork', { timeout: 90_000 }, () => {
  it('goes on from a turn with its files, settings and history, and needs nothing of the other session', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend, { body: { settings: { maxSteps: 7 }, labels: { a: 'b' } } })
      const { session, clone } = saved
      expect((await fork(backend, session)).body.code).toBe('no_checkpoint')
      writeFiles(clone, { 'a.txt': 'one' })
      const one = await saved.turn('First')
      writeFiles(clone, { 'a.txt': 'two' })
      await saved.turn('Second')
      const { status, body } = await fork(backend, session, { turn: one, prompt: 'Go on', title: 'Mine' })
      expect([status, body]).toMatchObject([
        201,
        {
          title: 'Mine',
          labels: {},
          owner: { id: 'owner' },
          fork: { project: 'default', session, turn: one },
          checkpoint: { number: 1, turn: one },
          queue: [{ preview: 'Go on' }],
          repositories: [{ name: 'lib', url: saved.origin }],
        },
      ])
      const id = body.id
      expect(chat(await historyOf(backend, id))).toEqual([taken('First'), 'Did: First'])
      expect((await backend.parts.store.state(id))?.settings).toMatchObject({ maxSteps: 7 })
      await purge(backend, session)
      expect(await read(backend, id, 'lib/a.txt')).toBe('one')
      const spec = await backend.spec(id)
      const hello = await backend.callRunner(spec.token, '/runner/hello', { method: 'POST' })
      expect(hello.body).toMatchObject({ checkpoint: { number: 1 }, resumed: false })
      expect(await historyOf(backend, id)).not.toEqual([])

      // And once more, from the fork, before it has worked.
      const again = await fork(backend, id)
      expect(again.body).toMatchObject({ title: 'Mine', fork: { session: id, turn: one } })
      await purge(backend, id)
      expect(await read(backend, again.body.id, 'lib/a.txt')).toBe('one')
      expect(chat(await historyOf(backend, again.body.id))).toEqual([taken('First'), 'Did: First'])
    }))

  it('that ends between two steps is no session; asked for again with its key, it is one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-fork-'))
    const real = await createDirectoryBlobs({ directory })
    let left = Number.POSITIVE_INFINITY
    const step = () => {
      left -= 1
      if (left < 0) throw new Error('the end')
    }
    const blobs: BlobStore = {
      put: async (...args) => {
        step()
        return real.put(...args)
      },
      copy: async (...args) => {
        step()
        return real.copy(...args)
      },
      get: (...args) => real.get(...args),
      remove: (...args) => real.remove(...args),
      removeAll: (...args) => real.removeAll(...args),
      scopes: () => real.scopes(),
    }
    await withBackend(
      async (backend) => {
        const saved = await savedSession(backend)
        await saved.turn('First')
        const list = async () =>
          (await backend.parts.store.list('default', { deleted: false }, { limit: 50 })).items
        let failures = 0
        for (let steps = 0; ; steps++) {
          left = steps
          const options = { body: {}, headers: { 'idempotency-key': 'k' } }
          const { status } = await backend.call(
            `/api/projects/default/sessions/${saved.session}/fork`,
            options,
          )
          if (status === 201) break
          failures += 1
          expect(await list()).toHaveLength(1)
        }
        expect(failures).toBeGreaterThan(2)
        expect(await list()).toHaveLength(2)
      },
      { blobs },
    )
    await rm(directory, { recursive: true, force: true })
  })

  it('leaves out what came after its turn, prompts that wait, and deltas', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend)
      const one = await saved.turn('First')
      const prompts = `/api/projects/default/sessions/${saved.session}/prompts`
      await backend.call(prompts, { body: { content: 'Second' } })
      await backend.call(prompts, { body: { content: 'Third' } })
      const { body } = await fork(backend, saved.session)
      const events = await historyOf(backend, body.id)
      expect(chat(events)).toEqual([taken('First'), 'Did: First'])
      expect(events.some(({ type }) => type === 'block.delta')).toBe(false)
      expect(body.fork).toMatchObject({ turn: one })
      expect(body.queue).toEqual([])
    }))

  it('copies blobs that its conversation and its history need', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend)
      const { session } = saved
      await saved.turn('x'.repeat(100_000))
      const { blobs, store } = backend.parts
      const bytes = Buffer.from('{"a conversation"}')
      const blob = createHash('sha256').update(bytes).digest('hex')
      await blobs.put(session, { blob, content: Readable.from([bytes]), maxBytes: 100 })
      const before = (await store.state(session))?.checkpoint
      const found = await blobs.get(session, before?.manifest.blob ?? '')
      const manifest = JSON.parse(String(found && (await buffer(found.content)))) as CheckpointManifest
      manifest.number = 2
      manifest.conversation = {
        id: 'c',
        files: [{ path: 'p/c.jsonl', size: 18, parts: [{ blob, size: 18, mediaType: 'x/y' }] }],
      }
      const text = Buffer.from(JSON.stringify(manifest))
      const name = createHash('sha256').update(text).digest('hex')
      await blobs.put(session, { blob: name, content: Readable.from([text]), maxBytes: 1e6 })
      const ref = { blob: name, size: text.length, mediaType: 'application/json' }
      await saved.facts({
        type: 'checkpoint.saved',
        data: { number: 2, manifest: ref, size: 1, files: 1, reason: 'request', ms: 1 },
      })
      const { id } = (await fork(backend, session)).body
      expect(await sizeOf(blobs, id, blob)).toBeGreaterThan(0)
      expect((await store.state(id))?.conversation).toBe('c')
      const prompt = (await historyOf(backend, id)).find(({ type }) => type === 'prompt.queued')
      const data = prompt?.data as { content: { full: { blob: string } }[] } | undefined
      const full = data?.content[0]?.full.blob ?? ''
      expect(await sizeOf(blobs, id, full)).toBe(100_000)
    }))

  it('may go to another project, where its caller may edit; base packs and allowed models are those of there', async () => {
    const principal = (id: string): Principal => ({
      actor: { kind: 'user', id },
      subjects: [{ kind: 'user', id }],
      platformAdmin: id === 'root',
      mayCreateProjects: false,
    })
    const authenticator: Authenticator = {
      authenticate: async ({ bearer = 'root' }) => principal(bearer === ownerToken ? 'root' : bearer),
    }
    await withBackend(
      async (backend) => {
        await backend.call('/api/projects', {
          body: { name: 'theirs', settings: { allowedModels: ['small-*'] } },
        })
        for (const [id, project, role] of [
          ['reader', 'default', 'viewer'],
          ['reader', 'theirs', 'editor'],
          ['nobody', 'theirs', 'editor'],
        ] as const)
          await backend.parts.store.setMember({
            ...{ kind: 'user', id, project, role },
            ...{ addedAt: 0, addedBy: { kind: 'user', id: 'root' } },
          })
        const saved = await savedSession(backend, {
          body: { settings: { model: 'large-1', smallModel: 'small-1' } },
        })
        const { session } = saved
        await saved.turn('First')
        expect((await fork(backend, session, {}, 'reader')).body.code).toBe('forbidden')
        expect((await fork(backend, session, { project: 'none' }, 'reader')).body.code).toBe(
          'project_not_found',
        )
        expect((await fork(backend, session, { project: 'theirs' }, 'nobody')).body.code).toBe(
          'project_not_found',
        )
        const { status, body } = await fork(backend, session, { project: 'theirs' }, 'reader')
        expect([status, body.owner, body.project]).toEqual([201, { kind: 'user', id: 'reader' }, 'theirs'])
        expect((await backend.parts.store.state(body.id))?.settings).toEqual({ smallModel: 'small-1' })
        await purge(backend, session)
        expect(await read(backend, body.id, 'lib/a.txt')).toBe('a\n')
        expect(await historyOf(backend, body.id, 'theirs')).not.toEqual([])
        const elsewhere = await backend.call(`/api/projects/default/sessions/${body.id}/history`)
        expect(elsewhere.body).toMatchObject({ code: 'session_not_found' })
      },
      { authenticator },
    )
  })
})
