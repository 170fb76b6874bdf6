import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { call } from './support/api.ts'
import { clusterDns } from './support/cluster-dns.ts'
import { chart, helm } from './support/helm.ts'
import { kubectl } from './support/kubectl.ts'
import { imageOptions, makePlace, type Place } from './support/place.ts'

let place: Place
let sessions: Place
beforeAll(async () => {
  place = await makePlace('locked')
  sessions = await makePlace('sessions')
})
afterAll(async () => {
  await sessions.remove()
  await place.remove()
})

/** The addresses of the API server, as a NetworkPolicy needs them: behind its Service. */
const apiServer = async () => {
  const slices = [
    'get',
    'endpointslices',
    '--namespace=default',
    '--selector=kubernetes.io/service-name=kubernetes',
  ]
  const { items } = JSON.parse(await kubectl([...slices, '--output=json'])) as {
    items: { endpoints: { addresses: string[] }[]; ports: { port: number }[] }[]
  }
  return items.map(({ endpoints, ports }) => ({
    to: endpoints.flatMap(({ addresses }) => addresses.map((ip) => ({ ipBlock: { cidr: `${ip}/32` } }))),
    ports: ports.map(({ port }) => ({ port })),
  }))
}

const may = (verb: string, resource: string, namespace: string) =>
  kubectl([
    ...['auth', 'can-i', verb, resource, `--namespace=${namespace}`],
    `--as=system:serviceaccount:${place.namespace}:berth`,
  ]).then(
    () => true,
    () => false,
  )

describe('[P115] in a namespace that is there already', () => {
  it('needs a Role in it, the API server and the DNS, and nothing else', async () => {
    const dns = await clusterDns()
    const values = {
      persistence: { enabled: false },
      runners: { namespaces: { mode: 'existing', existing: sessions.namespace }, network: { dns } },
      networkPolicy: { egress: { restricted: true, rules: await apiServer() } },
    }
    const { code, stderr } = await helm(
      ...['install', 'berth', chart, '--namespace', place.namespace, '--wait', '--timeout', '120s'],
      ...imageOptions(),
      ...Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
    )
    expect([code, stderr]).toEqual([0, ''])
    const rights = [
      await may('create', 'jobs', sessions.namespace),
      await may('create', 'jobs', place.namespace),
      await may('get', 'secrets', sessions.namespace),
      await may('create', 'namespaces', ''),
    ]
    expect(rights).toEqual([true, false, false, false])
    expect(await kubectl(['get', 'clusterroles', '--output=name'])).not.toContain(place.namespace)

    const path = '/api/projects/default/sessions'
    const created = await call(place.namespace, path, { body: { prompt: 'run: echo it works' } })
    expect(created).toMatchObject({ status: 201 })
    const { id } = JSON.parse(created.text) as { id: string }
    await vi.waitFor(
      async () => {
        const { text } = await call(place.namespace, `${path}/${id}`)
        expect(JSON.parse(text)).toMatchObject({ lastTurn: { result: 'success' }, sandboxed: true })
      },
      { timeout: 120_000, interval: 1000 },
    )
    const ours = [`--namespace=${sessions.namespace}`, `--selector=berth.dev/session=${id}`, '--output=name']
    const found = (await kubectl(['get', 'jobs,pods,secrets', ...ours])).trim().split('\n')
    expect(found.map((name) => name.split('/')[0]).sort()).toEqual(['job.batch', 'pod', 'secret'])
  })
})
