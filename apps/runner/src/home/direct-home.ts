import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openTranscripts } from '../agent/transcript.ts'
import { listConversation, openConversationFile } from '../checkpoint/conversation-files.ts'
import { createMcpLogs } from '../logs/mcp-logs.ts'
import type { AgentHome } from './agent-home.ts'

/** Lines that are given at once; what goes beyond is left out. */
const most = { lines: 1000, characters: 4000 }

/** The agent's home by its path, for whoever has the agent's user, or can read what is its. */
export const openDirectHome = (home: string): AgentHome => {
  const projects = join(home, '.claude', 'projects')
  let lines: string[] = []
  const logs = createMcpLogs({
    home,
    since: new Date(),
    onLine: (line) => lines.length < most.lines && void lines.push(line.slice(0, most.characters)),
  })
  return {
    ...openTranscripts(home),
    listConversation: () => listConversation(home),
    async readConversation(path, { at, length }) {
      const file = await openConversationFile(home, path)
      if (file === undefined) return undefined
      try {
        const bytes = Buffer.alloc(length)
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, at + done)
          if (bytesRead === 0) return undefined
          done += bytesRead
        }
        return bytes
      } finally {
        await file.close()
      }
    },
    clearConversation: () => rm(projects, { recursive: true, force: true }),
    async writeConversation(path, at, bytes) {
      const place = join(projects, path)
      if (at === 0) await mkdir(dirname(place), { recursive: true, mode: 0o700 })
      const file = await open(place, at === 0 ? 'w' : 'r+', 0o600)
      try {
        await file.write(bytes, 0, bytes.length, at)
      } finally {
        await file.close()
      }
    },
    async mcpLines() {
      await logs.look()
      const found = lines
      lines = []
      return found
    },
  }
}
