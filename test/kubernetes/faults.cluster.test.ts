import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@berth/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { volumeOnNode } from '../../deploy/helm/support/place.ts'
import { type Conversation, converse, makeProject, podOf, runShell } from './support/conversation.ts'
import { type GitPod, sampleFiles, startGitPod } from './support/git-pod.ts'
import { noPodS3, podS3Values } from './support/pod-s3.ts'
import { type PostgresPod, startPostgresPod } from './support/postgres-pod.ts'
import { kubectl, list } from './support/programs.ts'
import { sharedInstallation } from './support/shared-installation.ts'
import { within } from './support/within.ts'

const project = 'faults'
/** The project whose namespace is deleted. */
const moved = 'moved'

/** Files of all kinds, made by the agent. */
const makeFiles = `
set -e
sed -i 's/size/length/' src/duration.js
echo 'not tracked' >notes.txt
head -c 70000 /dev/urandom >picture.bin
printf '#!/bin/sh\\necho runs\\n' >tool.sh
chmod +x tool.sh
ln -s notes.txt link
rm README.md
git rev-parse HEAD >/dev/null
`

/** All files by kind, permission and content. */
const listFiles = `
find . -path ./.git -prune -o -type f -printf '%m %p ' -exec sh -c 'sha256sum <"$0"' {} \\; -o -type l -printf 'link %p %l\\n' | sort
./tool.sh
git status --porcelain
`

const killPod = (namespace: string, ...which: string[]) =>
  kubectl([
    '--namespace',
    namespace,
    'delete',
    'pod',
    ...which,
    '--grace-period=0',
    '--force',
    '--wait=false',
  ])

const backendPods = async (namespace: string): Promise<string[]> => {
  const selector = ['--selector', 'app.kubernetes.io/component=backend']
  const pods = await list<{ metadata: { name: string } }>('pods', ['--namespace', namespace, ...selector])
  return pods.map(({ metadata }) => metadata.name)
}

describe('a cluster in which things die', () => {
  let git: GitPod
  let postgres: PostgresPod
  let client: Client
  let removeVolume: (() => Promise<unknown>) | undefined
  // Runs after the installation is removed.
  afterAll(() => removeVolume?.())

  const installation = sharedInstallation(async (namespace) => {
    ;[git, postgres] = await Promise.all([
      startGitPod(namespace, { sample: sampleFiles() }),
      startPostgresPod(namespace),
    ])
    const common = {
      gitHosts: [git.host],
      database: { kind: 'postgres', postgres: { url: postgres.url } },
    }
    if (noPodS3 === undefined) return { ...common, replicas: 2, blobs: podS3Values(namespace) }
    // Several backends share nothing but PostgreSQL and S3.
    removeVolume = await volumeOnNode(namespace, 'berth-data')
    return { ...common, persistence: { enabled: true } }
  })
  const start = (prompt?: string, repositories?: { url: string }[]) =>
    converse(() => client, project, { prompt, repositories })

  beforeAll(async () => {
    client = installation().client
    await makeProject(client, project)
  })

  it.concurrent('[P127] a session whose pod is killed in the middle of a turn goes on in another, as of its last checkpoint', async () => {
    const talk = await start(undefined, [{ url: git.url('sample') }])
    await talk.say(runShell(makeFiles))
    const before = await talk.say(runShell(listFiles))
    expect(before).toMatch(/7[57][05] \.\/tool\.sh [\s\S]*link \.\/link notes\.txt[\s\S]*runs/)
    const turn = (await talk.of('turn.ended')).at(-1)?.data.turn
    await talk.reach('a checkpoint of the last turn', ({ checkpoint }) => checkpoint?.turn === turn)

    const first = await podOf(talk.session)
    await talk.prompt('count slowly to 60')
    await within('some of the answer', async () =>
      (await talk.of('block.delta')).length > 3 ? true : undefined,
    )
    await killPod(first.metadata.namespace, first.metadata.name)
    const { lastTurn } = await talk.ended(3)
    expect(lastTurn?.message).toContain('60')

    const second = await podOf(talk.session)
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    expect(await talk.say(runShell(listFiles))).toBe(before)
    const attempts = (await talk.of('turn.started')).map(({ data }) => data.attempt)
    expect(attempts).toEqual([1, 1, 1, 2, 1])
    const conversations = (await talk.of('agent.ready')).map(({ data }) => data.conversation)
    expect(new Set(conversations.filter((one) => one !== undefined)).size).toBe(1)
    expect(await talk.of('conversation.rebuilt')).toEqual([])
    expect(await talk.of('generation.ended')).toHaveLength(1)
  }, 180_000)

  it.concurrent('[P129] a session goes on in a new namespace when its own is deleted under it', async () => {
    await makeProject(client, moved)
    const talk = await converse(() => client, moved, { prompt: 'write first.md: one' })
    const { lastTurn } = await talk.ended(1)
    await talk.reach('its checkpoint', ({ checkpoint }) => checkpoint?.turn === lastTurn?.turn)
    const { metadata } = await podOf(talk.session)
    await talk.prompt('count slowly to 60')
    await talk.reach('work', ({ status }) => status.phase === 'working')
    await kubectl(['delete', 'namespace', metadata.namespace, '--wait=false'])
    await talk.ended(2)
    expect((await podOf(talk.session)).metadata.uid).not.toBe(metadata.uid)
    expect(await talk.say('run: cat first.md')).toBe('one')
  }, 240_000)

  it('[P128] a backend and PostgreSQL that are killed during turns lose nothing and double nothing', async () => {
    const { namespace, reconnect } = installation()
    const prompts = [
      'count slowly to 120',
      runShell('sleep 12; echo the tool is done'),
      'count slowly to 150',
    ]
    const talks = await Promise.all(prompts.map((prompt) => start(prompt)))
    await Promise.all(talks.map((talk) => talk.reach('work', ({ status }) => status.phase === 'working')))
    await sleep(randomInt(2000))
    const [victim = ''] = await backendPods(namespace)
    await killPod(namespace, victim)
    await sleep(randomInt(3000))
    await postgres.crash()
    client = await reconnect()
    for (const talk of talks) await endOnce(talk)
    const words = JSON.stringify((await talks[1]?.of('turn.ended'))?.map(({ data }) => data.message))
    expect(words).toContain('the tool is done')
    for (const talk of talks) expect(await talk.say('echo: still here')).toBe('still here')
  }, 240_000)

  it('[P130] sessions and a project that are deleted leave nothing in the cluster', async () => {
    const { projects } = installation()
    for (const name of [project, moved]) {
      const { items } = await client.listSessions({ params: { project: name }, query: {} })
      expect(items.length).toBeGreaterThan(0)
      for (const { id: session } of items) await client.deleteSession({ params: { project: name, session } })
    }
    for (const name of [project, moved])
      await within(`no session of ${name} is left`, async () => {
        await client.deleteProject({ params: { project: name }, query: { confirm: name } })
        return true
      })
    await within('no namespace of a project is left', async () => {
      const left = await projects()
      if (left.length > 0) throw new Error(left.join(', '))
      return true
    })
  }, 180_000)
})

/** Its turn has ended, in the runner in which it began and with one attempt. */
const endOnce = async (talk: Conversation): Promise<void> => {
  await talk.ended(1)
  expect((await talk.of('turn.started')).map(({ data }) => data.attempt)).toEqual([1])
  expect(await talk.of('generation.ended')).toEqual([])
}
