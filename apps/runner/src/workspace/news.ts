import type { Layout } from '../layout.ts'
import { trackedIn } from './place.ts'
import type { Repositories } from './repositories.ts'
import type { TrackedRepository, WorkspaceMemory } from './state.ts'

/** What the agent is told about its repositories, once. */
export interface News {
  /** A note about what has changed since the last one; undefined: nothing has. */
  note(): string | undefined
  /** The agent has got the last note. */
  markTold(): Promise<void>
}

type Told = NonNullable<WorkspaceMemory['current']['told']>

/** A repository that was removed and added anew is another one. */
export const keyOf = ({ name, since }: { name: string; since?: number }): string =>
  since === undefined ? name : `${name}#${since}`

const nameIn = (key: string): string => key.split('#')[0] ?? key

/** Text of others inside of Berth's own: it must not end it. */
const quoted = (text: string): string => text.replace(/[<>]/g, '').replace(/\s+/g, ' ').slice(0, 1000)

export interface NewsOptions {
  memory: WorkspaceMemory
  repositories: Pick<Repositories, 'failures' | 'cloning' | 'wanted'>
  layout: Layout
}

export const createNews = ({ memory, repositories, layout }: NewsOptions): News => {
  let pending: Told | undefined
  const at = (name: string) => `${layout.inside.workspace}/${name}`

  const added = ({ name, url, branch, remark = '' }: TrackedRepository) =>
    `- ${name} is now at ${at(name)}, cloned from ${quoted(url)}${branch === '' ? '' : `, branch ${branch}`}. ` +
    'If it has a CLAUDE.md, read that before you work there; its .claude directory is not loaded.' +
    (remark === '' ? '' : ` ${remark}`)

  return {
    note() {
      const ready = trackedIn(memory).filter(({ placing }) => placing === undefined)
      const now: Told = {
        ready: ready.map(keyOf),
        failed: [...repositories.failures.keys()].map((name) =>
          keyOf({ name, since: repositories.wanted.get(name)?.since }),
        ),
      }
      const told = memory.current.told ?? { ready: now.ready, failed: [] }
      pending = now
      const lines = [
        ...told.ready
          .filter((key) => !now.ready.includes(key))
          .map((key) => `- ${nameIn(key)} was removed from ${at(nameIn(key))}.`),
        ...ready.filter((item) => !told.ready.includes(keyOf(item))).map(added),
        ...now.failed
          .filter((key) => !told.failed.includes(key))
          .map(nameIn)
          .map((name) => `- ${name} is not there: ${quoted(repositories.failures.get(name) ?? '')}`),
        ...repositories.cloning.map((name) => `- ${name} is still being cloned; it will be at ${at(name)}.`),
      ]
      if (lines.length === 0) return undefined
      return `<system-reminder>\nThe repositories of this session have changed:\n${lines.join('\n')}\n</system-reminder>`
    },
    async markTold() {
      const told = pending
      pending = undefined
      if (told === undefined || JSON.stringify(told) === JSON.stringify(memory.current.told)) return
      await memory.update((state) => ({ ...state, told }))
    },
  }
}
