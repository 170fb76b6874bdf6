import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtInScenarios, createScriptedModel, fingerprintOf, loadScenarios } from '@berth/scripted-model'
import { describe, expect, it } from 'vitest'
import { project, withWorld } from './support/world.ts'

const key = 'sk-canary-8f3a1c5577d94e21'

const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
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
})
