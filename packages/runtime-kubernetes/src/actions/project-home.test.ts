import type { V1Namespace } from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FakeServer, sendJson, startFakeServer } from '../fixtures/fake-server.ts'
import { silent } from '../logger.ts'
import { compileOptions } from '../options/read-options.ts'
import type { KubernetesOptions } from '../options/schema.ts'
import { namespaceSpec } from '../specs/namespace.ts'
import { ProjectHomes } from './project-home.ts'

const minimal: KubernetesOptions = { images: { runner: 'berth-runner:1.0' } }
const options = compileOptions(minimal)

let server: FakeServer
/** What the cluster has, by name; how many looks a namespace that is deleted stays; and what was deleted. */
let cluster: Map<string, V1Namespace>
let lingers: number
let deleted: { name: string; uid: unknown }[]

beforeEach(async () => {
  cluster = new Map()
  lingers = 0
  deleted = []
  server = await startFakeServer((request, response, { pathname, searchParams }) => {
    const name = pathname.slice('/api/v1/namespaces/'.length)
    const found = cluster.get(name)
    if (request.method === 'DELETE') {
      let text = ''
      request.on('data', (chunk) => (text += chunk))
      request.on('end', () => {
        deleted.push({ name, uid: JSON.parse(text || '{}').preconditions?.uid })
        if (found?.metadata !== undefined) found.metadata.deletionTimestamp = new Date(0)
        sendJson(response, {})
      })
    } else if (pathname === '/api/v1/namespaces') {
      const wanted = (searchParams.get('labelSelector') ?? '').split(',').map((pair) => pair.split('='))
      const items = [...cluster.values()].filter(({ metadata }) =>
        wanted.every(([key = '', value]) => metadata?.labels?.[key] === value),
      )
      sendJson(response, { metadata: {}, items })
    } else {
      if (found?.metadata?.deletionTimestamp !== undefined && lingers-- <= 0) cluster.delete(name)
      const now = cluster.get(name)
      sendJson(response, now ?? { message: 'not found', reason: 'NotFound' }, now === undefined ? 404 : 200)
    }
  })
})
afterEach(() => server.close())

const homesOf = (given: Partial<KubernetesOptions> = {}) =>
  new ProjectHomes({ api: server.api, options: compileOptions({ ...minimal, ...given }), log: silent })

const add = (project: string, change: (namespace: V1Namespace) => V1Namespace = (one) => one) => {
  const made = change(namespaceSpec(options, project) as V1Namespace)
  const name = made.metadata?.name ?? ''
  cluster.set(name, { ...made, metadata: { ...made.metadata, uid: `uid-${project}` } })
  return name
}

describe('[P207] the namespaces of projects', () => {
  it('are named, those of this installation alone', async () => {
    add('shop')
    add('web')
    add('other', (namespace) => ({
      ...namespace,
      metadata: { ...namespace.metadata, labels: { 'berth.dev/project': 'other' } },
    }))
    expect((await homesOf().projects()).sort()).toEqual(['shop', 'web'])
  })

  it('are deleted each as the one that was seen, and waited for', async () => {
    const name = add('shop')
    add('web')
    lingers = 1
    await homesOf().remove('shop')
    expect(deleted).toEqual([{ name, uid: 'uid-shop' }])
    expect([...cluster.keys()]).toEqual([namespaceSpec(options, 'web').metadata?.name])
    await homesOf().remove('shop')
    expect(deleted).toHaveLength(1)
  })

  it.each<[string, Record<string, string>]>([
    ['of another installation', { 'app.kubernetes.io/instance': 'another' }],
    ['of another project', { 'berth.dev/project': 'web' }],
    ['that nobody’s Berth made', { 'app.kubernetes.io/managed-by': 'somebody' }],
  ])('are left alone where one is %s', async (_, labels) => {
    const name = add('shop', (namespace) => ({
      ...namespace,
      metadata: { ...namespace.metadata, labels: { ...namespace.metadata?.labels, ...labels } },
    }))
    await homesOf().remove('shop')
    expect(deleted).toEqual([])
    expect([...cluster.keys()]).toEqual([name])
  })

  it('are none where all projects share one that the operator made', async () => {
    add('shop')
    const homes = homesOf({ namespaces: { existing: 'sessions' } })
    expect(await homes.projects()).toEqual([])
    await homes.remove('shop')
    expect(server.requests).toEqual([])
  })
})
