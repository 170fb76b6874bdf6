import { createHash } from 'node:crypto'
import {
  type EventOf,
  emptyTranscript,
  foldTranscript,
  parseEvent,
  type RunnerFactBody,
} from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { ready, someId, type TestBackend, withBackend } from '../../test-backend.ts'

const canary = 'CANARY/value+of-a-secret'
const put = ({ call }: TestBackend, name = 'token', value = canary) =>
  call(`/api/projects/default/secrets/${name}`, { method: 'PUT', body: { kind: 'git-host', value } })

const eventsOf = async ({ call }: TestBackend, session: string) => {
  const path = `/api/projects/default/sessions/${session}/events?limit=1000`
  return (await call<{ items: unknown[] }>(path)).body.items.map(parseEvent)
}

/** Everything that is stored of the backend's sessions, as text. */
const everything = async (backend: TestBackend, session: string) => {
  const state = await backend.parts.store.state(session)
  const logs = await backend.parts.store.logs(session, { limit: 1000 })
  return JSON.stringify([await eventsOf(backend, session), state, logs, backend.log])
}

describe('secrets in a session', () => {
  it('[P172] [S15] are hidden in every event, log line, title and prompt, also in pieces', () =>
    withBackend(async (backend) => {
      await put(backend)
      const prompt = `use ${canary} please`
      const { id: session } = await backend.session({ title: `about ${canary}`, prompt })
      const spec = await backend.spec(session)
      const turn = someId('turn')
      const block = someId('block')
      const encoded = Buffer.from(`x:${canary}`).toString('base64')
      const text = `It is ${canary}, or ${encoded}.`
      const pieces = text.match(/.{1,5}/gs) ?? []
      let offset = 0
      const deltas = pieces.map((piece) => {
        offset += piece.length
        return { type: 'block.delta', data: { block, offset: offset - piece.length, text: piece } } as const
      })
      const results: RunnerFactBody[] = [
        { type: 'tool.result', data: { turn, toolUse: 't', isError: false, text: `TOKEN=${canary}` } },
        {
          type: 'agent.raw',
          data: { kind: 'x', message: { [canary]: [canary, { deep: JSON.stringify({ canary }) }] } },
        },
        {
          type: 'runner.notice',
          data: { level: 'error', message: `curl https://u:${encodeURIComponent(canary)}@x` },
        },
      ]
      const facts = [
        ...ready,
        { type: 'block.started', data: { kind: 'text', turn, block } } as const,
        ...deltas,
      ]
      expect((await backend.facts(spec, 1, ...facts)).status).toBe(200)
      expect((await backend.facts(spec, facts.length + 1, ...results)).body.n).toBe(facts.length + 3)
      const line = { at: new Date().toISOString(), source: 'agent', text: `said ${canary}` }
      await backend.callRunner(spec.token, '/runner/logs', { body: { lines: [line] } })
      const seen = emptyTranscript()
      for (const event of await eventsOf(backend, session)) foldTranscript(seen, event)
      expect(JSON.stringify([...seen.entries.values()])).not.toContain('CANARY')
      expect(await everything(backend, session)).not.toContain('CANARY')
      await backend.facts(spec, facts.length + 4, {
        type: 'block.aborted',
        data: { block, reason: `no ${canary}` },
      })
      const events = await eventsOf(backend, session)
      for (const event of events) foldTranscript(seen, event)
      const whole = events
        .flatMap((event) =>
          event.type === 'block.delta' && event.data.block === block ? [event.data.text] : [],
        )
        .join('')
      // What the neighbours of a value decide of its base64 stays.
      expect(whole).toMatch(/^It is \[secret:token\], or .{3}\[secret:token\].{0,4}\.$/)
      expect(await everything(backend, session)).not.toContain('CANARY')
      expect(events.filter(({ type }) => type === 'unknown')).toEqual([])
      const said = events.find((event): event is EventOf<'prompt.queued'> => event.type === 'prompt.queued')
      expect(said?.data.content).toEqual([{ type: 'text', text: 'use [secret:token] please' }])
      expect((await backend.summary(session)).title).toBe('about [secret:token]')
    }))

  it('[P172] are hidden in long texts of the blob store', () =>
    withBackend(async (backend) => {
      await put(backend)
      const { session, spec } = await backend.idleSession()
      const bytes = Buffer.from(`${'a line\n'.repeat(20_000)}${canary}\n${'b'.repeat(1000)}`)
      const blob = createHash('sha256').update(bytes).digest('hex')
      const sent = await backend.callRunner(spec.token, `/runner/blobs/${blob}`, {
        ...{ method: 'PUT', body: new Uint8Array(bytes) },
        headers: { 'content-type': 'application/octet-stream' },
      })
      expect(sent.status).toBe(204)
      const full = { blob, size: bytes.length, mediaType: 'text/plain' }
      const data = {
        turn: someId('turn'),
        toolUse: 't',
        isError: false,
        text: `x ${canary.slice(0, 12)}`,
        full,
      }
      expect((await backend.facts(spec, 3, { type: 'tool.result', data })).status).toBe(200)
      const event = (await eventsOf(backend, session)).find(({ type }) => type === 'tool.result')
      if (event?.type !== 'tool.result') throw new Error('no result')
      expect(event.data.text).toBe('x ')
      const stored = await backend.parts.blobs.get(session, event.data.full?.blob ?? '')
      const text = Buffer.concat(await (stored?.content.toArray() ?? [])).toString()
      expect(text).toContain('\n[secret:token]\nbbb')
      expect(stored?.size).toBe(event.data.full?.size)
      expect(await backend.parts.blobs.get(session, blob)).toBeUndefined()
    }))

  it('[P172] count from the moment they are set, and for a while after they are gone', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const say = (n: number) =>
        backend.facts(spec, n, { type: 'runner.notice', data: { level: 'info', message: `${n} ${canary}` } })
      await say(3)
      await put(backend)
      await say(4)
      await put(backend, 'token', `${canary.toLowerCase()}-2`)
      await say(5)
      await backend.call('/api/projects/default/secrets/token', { method: 'DELETE' })
      await say(6)
      const notices = (await eventsOf(backend, session)).flatMap((event) =>
        event.type === 'runner.notice' ? [event.data.message] : [],
      )
      expect(notices).toEqual([`3 ${canary}`, '4 [secret:token]', '5 [secret:token]', '6 [secret:token]'])
    }))
})
