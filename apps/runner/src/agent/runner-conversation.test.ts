import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtInScenarios } from '@berth/scripted-model'
import { describe, expect, test } from 'vitest'
import { createRig, type Rig } from '../fixtures/runner-process.ts'

interface Fixtures {
  rig: Rig
}

const it = test.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs
  rig: async ({}, use) => {
    const rig = await createRig({ scenarios: builtInScenarios })
    await use(rig)
    await rig.close()
  },
})

const transcriptOf = (rig: Rig): string => {
  const projects = join(rig.root, 'session/home/.claude/projects')
  const [name] = (readdirSync(projects, { recursive: true }) as string[]).filter((path) =>
    path.endsWith('.jsonl'),
  )
  return join(projects, name ?? '')
}

/** Two turns, a damage while the session is stopped, and a third turn. */
const damaged = async (rig: Rig, damage: (transcript: string) => void) => {
  const first = rig.start()
  await rig.prompt('write plan.md: the secret word is xylophone').ended
  await rig.prompt('run: echo second').ended
  rig.home.append('session.stop_requested', { reason: 'user' })
  await first.exited
  damage(transcriptOf(rig))
  rig.home.nextGeneration()
  rig.start()
  const { data } = await rig.prompt('run: cat plan.md').ended
  const sent = JSON.stringify(rig.model.requests.at(-1))
  const conversations = new Set(rig.home.of('agent.ready').map((event) => event.data.conversation))
  return {
    data,
    sent,
    conversations,
    rebuilt: rig.home.of('conversation.rebuilt').map((event) => event.data),
  }
}

describe.concurrent('[P53] a conversation', { timeout: 120_000 }, () => {
  it('whose transcript is gone is rebuilt from the log', async ({ rig }) => {
    const { data, sent, rebuilt, conversations } = await damaged(rig, (path) => rmSync(path))
    expect(data.result).toBe('success')
    expect(rebuilt).toEqual([{ reason: expect.stringContaining('transcript'), turns: 2 }])
    expect(sent).toContain('The record of this conversation was lost')
    expect(sent).toContain('User: write plan.md: the secret word is xylophone')
    expect(sent).toContain('You used Bash')
    expect(conversations.size).toBe(2)
  })

  it('whose transcript can’t be read is rebuilt from the log', async ({ rig }) => {
    const { data, sent, rebuilt } = await damaged(rig, (path) =>
      writeFileSync(path, 'nonsense\nmore of it\n'),
    )
    expect(data.result).toBe('success')
    expect(rebuilt).toHaveLength(1)
    expect(sent).toContain('xylophone')
  })

  it('goes on when the last line of its transcript was cut', async ({ rig }) => {
    const { data, sent, rebuilt, conversations } = await damaged(rig, (path) => {
      const last = readFileSync(path).lastIndexOf(0x0a, statSync(path).size - 2)
      truncateSync(path, last + 1 + 40)
    })
    expect(data.result).toBe('success')
    expect(rebuilt).toEqual([])
    expect(conversations.size).toBe(1)
    expect(sent).toContain('xylophone')
  })

  it('goes on, or is rebuilt, when its transcript was cut in the middle', async ({ rig }) => {
    const { data, sent } = await damaged(rig, (path) =>
      truncateSync(path, Math.floor(statSync(path).size / 2)),
    )
    expect(data.result).toBe('success')
    expect(sent).toContain('xylophone')
  })
})
