import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call as callAt, secretOf } from './support/api.ts'
import { chart, example, helm } from './support/helm.ts'
import { apply, fieldOf, kubectl } from './support/kubectl.ts'
import { imageOptions, images, makePlace, type Place } from './support/place.ts'

let place: Place
beforeAll(async () => {
  place = await makePlace('install')
})
afterAll(() => place.remove())

/** Installs or upgrades, and waits until the backend is ready. */
const release = async (...options: string[]) => {
  const { code, stdout, stderr } = await helm(
    ...[
      'upgrade',
      '--install',
      'berth',
      chart,
      '--namespace',
      place.namespace,
      '--wait',
      '--timeout',
      '120s',
    ],
    ...example('smallest'),
    ...imageOptions(),
    ...['--set', `runners.namespaces.prefix=${place.prefix}`],
    ...options,
  )
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}

const secret = (key: string) => secretOf(place.namespace, key)
const call = (path: string, options: { token?: string; body?: object } = {}) =>
  callAt(place.namespace, path, options)

/** What a pod of the namespace finds at each URL: a status, or why there was none. */
const seenFromPod = async (name: string, labels: Record<string, string>, urls: string[]) => {
  const script = `
    Promise.all(${JSON.stringify(urls)}.map((url) =>
      fetch(url, { signal: AbortSignal.timeout(3000) }).then((a) => a.status, (e) => e.cause?.code ?? e.name)
    )).then((found) => console.log(JSON.stringify(found)))`
  const pod = [`--namespace=${place.namespace}`, `pod/${name}`]
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: place.namespace, labels },
    spec: {
      restartPolicy: 'Never',
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'look',
          image: images.backend,
          command: ['node', '--eval', script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  })
  await kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s', ...pod])
  const found = JSON.parse(await kubectl(['logs', `--namespace=${place.namespace}`, name]))
  await kubectl(['delete', '--wait=false', ...pod])
  return found
}

const podAddress = async () => {
  const ours = [`--namespace=${place.namespace}`, 'pods', '--selector=app.kubernetes.io/component=backend']
  return (await fieldOf(ours, '{.items[?(@.status.phase=="Running")].status.podIP}')).split(' ')[0] ?? ''
}

/** How a connection ends that nobody lets through. */
const cut = expect.stringMatching(/TimeoutError|UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED|EHOSTUNREACH/)

describe('the smallest installation', () => {
  let token: string

  it('[P115] is ready with one command, and its test says so', async () => {
    await place.volumeFor('berth-data')
    const notes = await release()
    expect(notes).toContain(`port-forward service/berth 7420:7420`)
    expect(notes).toContain('The API is reached by port-forward only')
    expect(await helm('test', 'berth', '--namespace', place.namespace)).toMatchObject({ code: 0 })
    token = await secret('owner-token')
    expect(token).toMatch(/^brt_owner_\w{43}$/)
    expect(await call('/api/me')).toMatchObject({ status: 200 })
  })

  it('[P117] opens the API to nobody in the cluster, and the runners’ port to sessions only', async () => {
    const address = await podAddress()
    const urls = [
      `http://berth.${place.namespace}.svc:7420/livez`,
      `http://${address}:7420/livez`,
      `http://berth-runners.${place.namespace}.svc:7421/runner/settings`,
      `http://${address}:7421/runner/settings`,
    ]
    expect(await seenFromPod('stranger', {}, urls)).toEqual([cut, cut, cut, cut])
  })

  it('[P117] keeps its tokens and its data over an upgrade, which makes new pods when their configuration changes', async () => {
    const project = { name: 'kept' }
    expect(await call('/api/projects', { body: project })).toMatchObject({ status: 201 })
    const before = await podAddress()
    await release('--set', 'logLevel=debug')
    expect(await podAddress()).not.toBe(before)
    expect(await secret('owner-token')).toBe(token)
    expect(await call('/api/projects/kept', { token })).toMatchObject({ status: 200 })
    const same = await podAddress()
    await release('--set', 'logLevel=debug')
    expect(await podAddress()).toBe(same)
  })

  it('[P117] opens the API when it is told to, to whom it is told to, and metrics to their own token', async () => {
    await release(
      ...[
        '--set',
        'auth.allowRemoteOwner=true',
        '--set',
        'networkPolicy.apiFrom[0].podSelector.matchLabels.may=call',
      ],
    )
    expect(await helm('test', 'berth', '--namespace', place.namespace)).toMatchObject({ code: 0 })
    const urls = [
      `http://berth:7420/readyz`,
      `http://${await podAddress()}:7420/readyz`,
      `http://berth-runners:7421/runner/settings`,
    ]
    expect(await seenFromPod('friend', { may: 'call' }, urls)).toEqual([200, 200, cut])
    expect(await seenFromPod('other', {}, urls)).toEqual([cut, cut, cut])
    const metrics = await secret('metrics-token')
    expect(await call('/metrics', { token: metrics })).toMatchObject({
      status: 200,
      text: expect.stringContaining('berth_'),
    })
    expect(await call('/api/projects/kept', { token: metrics })).toMatchObject({ status: 404 })
  })

  it('[P117] goes back to the revision before, with its data', async () => {
    const answer = await helm(
      ...['rollback', 'berth', '--namespace', place.namespace, '--wait', '--timeout', '120s'],
    )
    expect(answer).toMatchObject({ code: 0 })
    const url = `http://${await podAddress()}:7420/readyz`
    expect(await seenFromPod('late', { may: 'call' }, [url])).toEqual([cut])
    expect(await call('/api/projects/kept', { token })).toMatchObject({ status: 200 })
  })

  it('leaves nothing behind but the volume when it is removed', async () => {
    await helm('uninstall', 'berth', '--namespace', place.namespace, '--wait')
    const kinds = 'deployments,services,configmaps,secrets,serviceaccounts,networkpolicies,jobs,pods'
    const ours = [`--namespace=${place.namespace}`, '--selector=app.kubernetes.io/instance=berth']
    await kubectl(['wait', '--for=delete', '--timeout=90s', 'pods', ...ours])
    const left = await kubectl(['get', kinds, ...ours, '--output=name'])
    expect(left).toMatch(/^(No resources found.*)?\s*$/)
    const roles = await kubectl(['get', 'clusterroles,clusterrolebindings', '--output=name'])
    expect(roles).not.toContain(place.namespace)
    const claim = [`--namespace=${place.namespace}`, 'persistentvolumeclaim/berth-data']
    expect(await fieldOf(claim, '{.status.phase}')).toBe('Bound')
  })
})
