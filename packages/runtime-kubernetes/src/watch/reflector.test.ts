import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { kinds } from '../api/resources.ts'
import { type FakeServer, sendJson, startFakeServer } from '../fixtures/fake-server.ts'
import { silent } from '../logger.ts'
import { Reflector } from './reflector.ts'

interface Item {
  metadata: { name: string; resourceVersion: string }
}

const item = (name: string, version: number): Item => ({
  metadata: { name, resourceVersion: String(version) },
})

const read = (each: Item) => each

let server: FakeServer | undefined
let reflector: Reflector<Item, Item> | undefined
afterEach(async () => {
  reflector?.stop()
  await server?.close()
})

/** A server with these items whose watches the test answers; what the reflector makes of it. */
const follow = async (
  watch: (response: ServerResponse, from: string, count: number) => void,
  watchSeconds = 30,
) => {
  const items = new Map<string, Item>()
  const state = { lists: 0, watches: 0, listed: [item('a', 1)], items }
  server = await startFakeServer((_request, response, { searchParams }) => {
    if (searchParams.get('watch') !== 'true') {
      state.lists++
      const metadata = { resourceVersion: String(10 * state.lists) }
      return sendJson(response, { metadata, items: state.listed })
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    watch(response, searchParams.get('resourceVersion') ?? '', ++state.watches)
  })
  reflector = new Reflector<Item, Item>({
    api: server.api,
    place: { kind: kinds.jobs },
    labelSelector: 'a=b',
    log: silent,
    watchSeconds,
    read,
    target: {
      replace: (all) => {
        items.clear()
        for (const each of all) items.set(each.metadata.name, each)
      },
      put: (each) => void items.set(each.metadata.name, each),
      drop: (each) => void items.delete(each.metadata.name),
    },
  })
  reflector.start()
  await reflector.synced
  return state
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const send = (response: ServerResponse, type: string, object: object) =>
  response.write(`${JSON.stringify({ type, object })}\n`)

test('what the watch brings is taken, and an ended watch goes on from there without a list', async () => {
  const froms: string[] = []
  const state = await follow((response, from, count) => {
    froms.push(from)
    if (count === 1) {
      send(response, 'ADDED', item('b', 11))
      send(response, 'DELETED', item('a', 12))
      send(response, 'BOOKMARK', item('', 40))
      response.end()
    } else if (count === 2) send(response, 'MODIFIED', item('b', 41))
  })
  await until(() => state.items.get('b')?.metadata.resourceVersion === '41')
  expect([...state.items.keys()]).toEqual(['b'])
  expect(froms).toEqual(['10', '40'])
  expect(state.lists).toBe(1)
  expect(reflector?.alive).toBe(true)
})

test.each([
  [
    'in the stream',
    (response: ServerResponse) => void send(response, 'ERROR', { code: 410, message: 'too old' }),
  ],
  ['by a break', (response: ServerResponse) => void response.destroy()],
  ['with nonsense', (response: ServerResponse) => void response.end('{"type":\n')],
])('a watch that fails %s lists again', async (_, fail) => {
  const state = await follow((response, _from, count) => {
    if (count > 1) return
    state.listed = [item('c', 20)]
    fail(response)
  })
  await until(() => state.lists === 2)
  await until(() => state.items.has('c') && state.watches === 2)
  expect([...state.items.keys()]).toEqual(['c'])
})

test('before it is stopped or has listed, it is not alive', async () => {
  server = await startFakeServer((_request, response) => sendJson(response, { message: 'no' }, 403))
  const place = { kind: kinds.jobs }
  const target = { replace: () => undefined, put: () => undefined, drop: () => undefined }
  reflector = new Reflector<Item, Item>({
    api: server.api,
    place,
    labelSelector: '',
    target,
    read,
    log: silent,
  })
  reflector.start()
  await until(() => (server?.requests.length ?? 0) >= 2)
  expect(reflector.alive).toBe(false)
  reflector.stop()
  await reflector.synced
})
