import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { builtInScenarios, createScriptedModel, fingerprintOf, loadScenarios } from '@berth/scripted-model'
import { describe, expect, it } from 'vitest'
import { processesNaming } from './support/processes.ts'
import { filesBelow, type SecretWorld, withSecretWorld } from './support/secret-world.ts'
import { messageOf, turn } from './support/talk.ts'
import { answersOf, forms, type Told, told } from './support/told.ts'
import { conversationBlobs, inCheckpoints, inRepositories, inside } from './support/unpacked.ts'
import { project, type World, withWorld } from './support/world.ts'

const key = 'sk-canary-8f3a1c5577d94e21'
/** What the agent writes into a file, so that it is seen whether the search sees into everything. */
const marker = 'written-by-the-agent-7d21'

/** A turn whose checkpoint is there. */
const savedTurn = async (world: World, session: string, prompt: string) => {
  const events = await turn(world, session, prompt)
  const last = events.at(-1)
  await world.until(
    session,
    (event) =>
      event.type === 'checkpoint.saved' && last?.type === 'turn.ended' && event.data.turn === last.data.turn,
  )
  return events
}

describe('secrets', { timeout: 120_000 }, () => {
  it('[P24][P75] the model’s key reaches the upstream, and nothing else: no event, file, log or environment', async () => {
    const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
    const { url, close } = await model.listen()
    try {
      await withWorld(
        async ({ client, until, dataDir, log, events }) => {
          const prompt =
            'run: env; cat /proc/*/environ /proc/*/cmdline | tr "\\\\0" "\\\\n"; ls -R / 2>/dev/null | head -2000'
          const { id, modelSource } = await client.createSession({ params: { project }, body: { prompt } })
          expect(modelSource).toBe('live')
          await until(id, (event) => event.type === 'turn.ended')
          const credentials = model.requests.map(({ credential }) => credential?.fingerprint)
          expect(new Set(credentials)).toEqual(new Set([fingerprintOf(key)]))
          const token = (await readFile(join(dataDir, 'owner-token'), 'utf8')).trim()
          const logged = await client.listLogs({ params: { project, session: id }, query: { limit: 2000 } })
          expect(logged.items.length, 'the runner’s log came home').toBeGreaterThan(0)
          const all = JSON.stringify([await events(id), logged.items]) + log.join('\n')
          expect(all).not.toContain(key)
          expect(all).not.toContain(token)
          expect(all, 'no runner token').not.toMatch(/brt_(?!owner)[A-Za-z0-9_-]{20}/)
          for (const file of await filesBelow(dataDir)) {
            if (file.endsWith('owner-token')) continue
            const bytes = await readFile(file).catch(() => Buffer.alloc(0))
            expect(bytes.includes(key), `${file} holds the key`).toBe(false)
            expect(bytes.includes(token), `${file} holds the owner’s token`).toBe(false)
          }
        },
        { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url },
      )
    } finally {
      await close()
    }
  })

  it('[P177] [P178] [P75] [S10] [S12] what a project keeps is used by the agent’s git, model, servers and programs, and is found nowhere', () =>
    withSecretWorld(async (it) => {
      const { world, session, canaries, used, origin } = it
      const work = [
        `echo ${marker} > new.txt; git add -A; git commit -qm New; git push -q origin HEAD; git fetch -q origin`,
        `curl -sS ${it.egressUrl}`,
        'echo "plain $SHOWN"; printf %s "$SHOWN" | base64 -w0; echo; printf %s "$SHOWN" | od -An -tx1 | tr -d " \\n"; echo',
        'grep -rlsE "CANA""RY.(git|model|mcp|egress)" /workspace /setup /opt/berth /etc "$HOME" | sed s/^/found:/; echo all done',
      ].join('; ')
      const said = messageOf(await savedTurn(world, session, `run: ${work}`))
      expect(said).toContain('plain [secret:shown]\n[secret:shown]')
      expect(said).toContain('all done')
      expect(said, 'no file of the agent’s holds one, git’s configuration neither').not.toContain('found:')
      expect(messageOf(await turn(world, session, 'call mcp__far__whisper with HELLO'))).toBe('hello')
      expect(await used(), 'each was used').toEqual({ model: true, git: true, mcp: true, egress: true })

      const hidden = Object.values(canaries)
      const others = hidden.filter((value) => value !== canaries.shown)
      expect(await it.processes(others), 'in no process').toEqual([])
      expect(await processesNaming(canaries.shown), 'the agent has it').not.toEqual([])
      expect(await it.processes([canaries.shown]), 'and nobody else').toEqual([])
      const everything = [...(await answersOf(world, session)), ...(await told(world, session))]
      expect(
        everything.filter(({ from }) => /^http.*\(200\)$/.test(from)).length,
        'rows that answer',
      ).toBeGreaterThan(45)
      everything.push(...(await Promise.all(everything.map((it) => inside(it, origin)))).flat())
      for (const { from, text } of everything)
        for (const form of hidden.flatMap(forms))
          expect(text.includes(form), `${from} holds ${form}`).toBe(false)
      everything.push(...(await inFiles(it, others)))
      for (const packed of [
        /\/bundle.*unpacked/,
        /\/archive.*unzipped/,
        /\/workspace\/private\/\.git/,
        /\/blobs\//,
      ])
        expect(
          everything.some(({ from, text }) => packed.test(from) && text.includes(marker)),
          `what the agent wrote is seen in ${packed}`,
        ).toBe(true)
      await inFilesOfTheAgents(it)
    }))

  /** Searches all files, as they are and unpacked; gives what was packed. */
  const inFiles = async ({ world, canaries, origin }: SecretWorld, others: string[]): Promise<Told[]> => {
    const files = await filesBelow(world.dataDir)
    const conversation = await conversationBlobs(files)
    const packed: Told[] = []
    for (const file of files) {
      const text = await readFile(file, 'latin1').catch(() => '')
      packed.push(...(await inside({ from: file, text }, origin)))
      // The agent printed it: its conversation, from which it goes on, stays as it was, and so do facts that are on their way.
      const isAgents =
        conversation.has(basename(file)) ||
        /\/sessions\/[^/]+\/(home\/\.claude\/projects|outbox)\/.*\.jsonl$/.test(file)
      for (const value of isAgents ? others : [...others, canaries.shown])
        for (const form of forms(value)) expect(text.includes(form), `${file} holds ${form}`).toBe(false)
    }
    packed.push(...(await inRepositories(world.dataDir)), ...(await inCheckpoints(files)))
    for (const { from, text } of packed)
      for (const form of Object.values(canaries).flatMap(forms))
        expect(text.includes(form), `${from} holds ${form}`).toBe(false)
    return packed
  }

  /** What the agent writes into a file is a file’s: it is in what gives files as they are, and nowhere else. */
  const inFilesOfTheAgents = async ({ world, session, canaries, origin }: SecretWorld) => {
    await savedTurn(world, session, 'run: printf %s "$SHOWN" > new.txt; git commit -qam Kept')
    const answers = await answersOf(world, session)
    const opened = await Promise.all(answers.map((it) => inside(it, origin)))
    const holders = answers.filter((answer, index) =>
      [answer, ...(opened[index] ?? [])].some(({ text }) => text.includes(canaries.shown)),
    )
    const paths = holders.map(({ from }) => new URL(from.split(' ')[0] ?? '').pathname.split(session)[1])
    expect(paths.sort()).toEqual(['/archive', '/bundle', '/files/content'])
  }
})
