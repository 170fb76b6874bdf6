import type { GitState } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import { readGitState } from '../git/git-state.ts'
import type { Layout } from '../layout.ts'
import { trackedIn } from '../workspace/place.ts'
import type { WorkspaceMemory } from '../workspace/state.ts'
import type { OperationHandlers } from './handlers.ts'

const timeoutMs = 25_000

export interface GitBox {
  sandbox: Sandbox
  layout: Layout
  memory: WorkspaceMemory
}

/** Branches and state of the session's repositories, read inside the sandbox. One that git can't read is left out. */
export const gitHandlers = ({ sandbox, layout, memory }: GitBox): OperationHandlers => ({
  'git-state': {
    changes: false,
    timeoutMs,
    async run(_request, { signal }) {
      const repositories: GitState[] = []
      for (const repository of trackedIn(memory)) {
        if (signal.aborted) break
        const found = await readGitState({ repository, layout, sandbox, timeoutMs: timeoutMs - 5000 })
        if (found !== undefined) repositories.push(found)
      }
      return { kind: 'git-state', repositories }
    },
  },
})
