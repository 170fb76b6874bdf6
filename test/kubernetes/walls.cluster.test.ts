import { createHash } from 'node:crypto'
import type { Client } from '@berth/client'
import { beforeAll, describe, expect, it } from 'vitest'
import { converse, makeProject, podOf, runNode, runShell } from './support/conversation.ts'
import { type GitPod, sampleFiles, startGitPod } from './support/git-pod.ts'
import { images } from './support/images.ts'
import { type Inside, insideProgram } from './support/inside.ts'
import { leftovers, ofSession, secretOf } from './support/leftovers.ts'
import { apply, kubectl, list } from './support/programs.ts'
import { makeServiceAccount } from './support/service-account.ts'
import { sharedInstallation } from './support/shared-installation.ts'
import { within } from './support/within.ts'

const project = 'walls'
const missing = 'registry.invalid/no-such/tools:1'

/** More than a small container has, in processes that are each smaller than Claude Code. */
const hog = `
for i in $(seq 60); do (head -c 25000000 /dev/zero; sleep 120) | tail -c 30000000 >/dev/null & done
wait
`

const field = (namespace: string, what: string, path: string) =>
  kubectl(['--namespace', namespace, 'get', ...what.split('/'), '--output', `jsonpath={${path}}`])

describe('the walls around a session', () => {
  let git: GitPod
  let client: Client
  const installation = sharedInstallation(async (namespace) => {
    git = await startGitPod(namespace, { sample: sampleFiles() })
    return {
      gitHosts: [git.host],
      privateHosts: [git.host],
      // The API's port is open, so that it is the network that keeps sessions from it.
      auth: { allowRemoteOwner: true },
      tokenReview: { enabled: true },
      runners: {
        images: { allowed: ['registry.invalid/*'] },
        // A session asks for as much memory as it may use.
        resources: { agent: { memory: '900Gi' } },
        patience: { scheduleSeconds: 5, imageSeconds: 5, createSeconds: 30 },
      },
    }
  })
  const start = (name: string, prompt?: string) => converse(() => client, name, { prompt })

  beforeAll(async () => {
    client = installation().client
    await makeProject(client, project, { memoryMiB: 640 })
  })

  it.concurrent('[P131] the agent reaches the runners’ port and nothing else, and finds neither token nor rights', async () => {
    const { namespace } = installation()
    const talk = await start(project, 'echo: hello')
    await talk.ended(1)
    const pod = await podOf(talk.session)
    const agent = pod.spec.initContainers?.find(({ name }) => name === 'agent')
    // What the installation's settings say, at the end of their way through chart, backend and runtime.
    expect(agent?.resources?.limits?.cpu).toBe('1500m')
    const [apiAddress, gitAddress, backendAddress] = await Promise.all([
      field('default', 'service/kubernetes', '.spec.clusterIP'),
      field(namespace, `pod/${git.host.split('.')[0]}`, '.status.podIP'),
      field(namespace, 'service/berth', '.spec.clusterIP'),
    ])
    const inside = [
      `kubernetes.default.svc.cluster.local:443`,
      `${apiAddress}:443`,
      `${gitAddress}:8080`,
      git.host,
    ]
    const api = [`${backendAddress}:7420`, `berth.${namespace}.svc.cluster.local:7420`]
    const targets = [...inside, ...api, '169.254.169.254:80', '1.1.1.1:443']
    const token = await field(pod.metadata.namespace, `secret/${await secretOf(talk.session)}`, '.data.token')
    const program = insideProgram({
      targets,
      runnersUrl: `http://berth-runners.${namespace}.svc.cluster.local:7421`,
      tokenHash: createHash('sha256').update(Buffer.from(token, 'base64')).digest('hex'),
    })

    // What the cluster has is there, for those who may reach it.
    const own = ['--namespace', namespace, 'exec', 'deployment/berth', '--', 'node', '-e', program]
    const outside: Inside = JSON.parse(await kubectl(own))
    for (const target of [...inside, ...api]) expect(outside.reached[target], target).toBe('open')

    const seen: Inside = JSON.parse(await talk.say(runNode(program)))
    expect(Object.keys(seen.reached).sort()).toEqual([...targets].sort())
    expect(Object.values(seen.reached)).not.toContain('open')
    expect(seen.runnersPort).toEqual([401, 401])

    expect(seen.status).toMatchObject({
      CapEff: '0000000000000000',
      CapBnd: '0000000000000000',
      NoNewPrivs: '1',
      Seccomp: '2',
    })
    const runner = pod.spec.containers.find(({ name }) => name === 'runner')?.securityContext.runAsUser
    expect([0, undefined, runner]).not.toContain(seen.uid)
    expect(runner).toBeGreaterThan(0)
    expect(seen.withToken).toEqual([])
    expect(seen.commands.join('\n')).toContain('/claude')
    expect(seen.commands.join('\n')).not.toMatch(/runner\/main\.js/)
    expect(seen.serviceAccount).toBe(false)
    expect(seen.writable).toEqual([])
  }, 120_000)

  it.concurrent('[P194][S13] in a cluster, programs reach what a rule allows through the backend, nothing else, and nothing by themselves', async () => {
    const name = 'doors'
    const [host = '', port] = git.host.split(':')
    await makeProject(client, name, {
      memoryMiB: 640,
      egress: [{ host, port: Number(port), scheme: 'http', paths: ['/sample.git/'] }],
    })
    const talk = await start(name, 'echo: hello')
    await talk.ended(1)
    const refs = `http://${git.host}/sample.git/info/refs?service=git-upload-pack`
    const found = JSON.parse(
      await talk.say(runNode(reachProgram([refs, `http://${git.host}/`, 'https://example.com/']))),
    )
    expect(found.asked).toEqual([
      expect.stringMatching(/^200 [\s\S]*git-upload-pack/),
      expect.stringMatching(/^403 berth: [\s\S]*other paths/),
      expect.stringMatching(/^403 berth: [\s\S]*no example\.com/),
    ])
    // The same host without the proxy that the environment names.
    expect(found.direct).not.toBe('open')
    const refused = await talk.of('egress.refused')
    expect(refused.map(({ data }) => [data.host, data.why])).toEqual([
      [host, 'path'],
      ['example.com', 'host'],
    ])
    await talk.remove()
  }, 120_000)

  it.concurrent('[P132] an agent that takes too much memory is told of as such; its pod and its session go on', async () => {
    const talk = await start(project, 'echo: hello')
    await talk.ended(1)
    const before = await podOf(talk.session)
    await talk.prompt(runShell(hog))
    await within('the agent is out of memory', async () => {
      const ends = await talk.of('agent.exited')
      return ends.find(({ data }) => data.reason === 'out-of-memory')
    })
    await talk.reach('rest', ({ status }) => status.phase === 'idle')
    expect(await talk.say('echo: still here')).toBe('still here')
    expect((await podOf(talk.session)).metadata.uid).toBe(before.metadata.uid)
    expect(await talk.of('generation.ended')).toEqual([])
  }, 180_000)

  it.concurrent('[P133] sessions fail with the reason image or unschedulable, say what to do, and leave nothing', async () => {
    const hopeless = [
      {
        reason: 'image',
        settings: { image: missing, memoryMiB: 640 },
        words: /registry\.invalid[\s\S]*Repair the image/,
      },
      { reason: 'unschedulable', settings: { memoryMiB: 262_144 }, words: /memory[\s\S]*Make room/ },
    ] as const
    await Promise.all(
      hopeless.map(async ({ reason, settings, words }) => {
        const name = `no-${reason}`
        await makeProject(client, name, settings)
        const talk = await start(name, 'echo: hello')
        const { status } = await within('the session has failed', async () => {
          const summary = await talk.summary()
          return summary.status.phase === 'failed' ? summary : undefined
        })
        expect(status).toMatchObject({ phase: 'failed', reason, message: expect.stringMatching(words) })
        expect(await talk.of('turn.started')).toEqual([])
        await within('no pod waits on', async () => {
          const left = (await ofSession(talk.session)).filter((thing) => thing.startsWith('Pod'))
          return left.length === 0 ? true : undefined
        })
        await talk.remove()
        await within('the project is gone', async () => {
          await client.deleteProject({ params: { project: name }, query: { confirm: name } })
          return true
        })
        await within('its namespace is gone', async () => {
          const left = await leftovers(installation().instance)
          return left.some((thing) => thing.includes(name)) ? undefined : true
        })
      }),
    )
  }, 180_000)

  it.concurrent('[P148] a service account signs in with a token for Berth, as a member of its own kind, while it is there', async () => {
    const { namespace, as } = installation()
    const robot = await makeServiceAccount(namespace, 'robot')
    const params = { project }
    const visitor = as(await robot.token('berth'))
    expect(await visitor.getMe()).toMatchObject({
      principal: { kind: 'service', id: robot.member },
      platformAdmin: false,
    })
    await expect(visitor.listSessions({ params })).rejects.toMatchObject({ code: 'project_not_found' })
    const place = { ...params, kind: 'service', id: robot.member } as const
    await client.setMember({ params: place, body: { role: 'viewer' } })
    expect(await visitor.getProjectAccess({ params })).toMatchObject({ role: 'viewer' })
    const body = { prompt: 'echo: hello' }
    await expect(visitor.createSession({ params, body })).rejects.toMatchObject({ code: 'forbidden' })

    const refused = { code: 'unauthenticated' }
    await expect(as(await robot.token()).getMe()).rejects.toMatchObject(refused)
    await expect(as(await robot.token('another')).getMe()).rejects.toMatchObject(refused)
    // What was good a moment ago may be remembered for a minute, so each of these is used once.
    const unused = await Promise.all(Array.from({ length: 5 }, () => robot.token('berth')))
    await robot.remove()
    await within('a token of the deleted account is refused', async () => {
      const token = unused.pop()
      if (token === undefined) throw new Error('Each was taken.')
      return as(token)
        .getMe()
        .then(
          () => undefined,
          ({ code }) => code === 'unauthenticated' || undefined,
        )
    })
  })

  it('[P131] a privileged pod is refused in the namespace of a project', async () => {
    const [namespace = ''] = (await installation().projects()).filter((name) => name.endsWith(project))
    const container = { name: 'shell', image: images.runner, securityContext: { privileged: true } }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'privileged' },
      spec: { containers: [container] },
    }
    await expect(apply(namespace, [pod])).rejects.toThrow(/violates PodSecurity "restricted[\s\S]*privileged/)
    expect(
      await list('pods', ['--namespace', namespace, '--field-selector', 'metadata.name=privileged']),
    ).toEqual([])
  })
})

/** A program of Node that asks for addresses one after the other, and then goes to the first one's host by itself. */
const reachProgram = (urls: readonly string[]): string => `
const net = require('node:net')
const urls = ${JSON.stringify(urls)}
const ask = (url) => fetch(url).then(async (answer) => answer.status + ' ' + (await answer.text()).slice(0, 300), (error) => String(error.cause ?? error))
const { hostname: host, port } = new URL(urls[0])
const direct = new Promise((resolve) => {
  const socket = net.connect({ host, port: Number(port), timeout: 4000 })
  const end = (result) => { socket.destroy(); resolve(result) }
  socket.on('connect', () => end('open'))
  socket.on('timeout', () => end('no answer'))
  socket.on('error', (error) => end(String(error.code)))
})
const main = async () => {
  const asked = []
  for (const url of urls) asked.push(await ask(url))
  console.log(JSON.stringify({ asked, direct: await direct }))
}
void main()
`
