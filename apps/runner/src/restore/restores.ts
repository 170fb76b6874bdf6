import type { CheckpointRef, RunnerFactBody } from '@berth/contract'
import type { AgentContent } from '../agent/live-agent.ts'
import type { Saver } from '../checkpoint/saver.ts'
import type { Session } from '../runner.ts'
import { isSlashCommand } from '../turn/slash-command.ts'
import { workspaceLimits } from '../workspace/shadow.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { setBackFiles } from './set-back.ts'

type Prompt = (seq: number, signal: AbortSignal) => Promise<AgentContent[]>

/** Restores that people ask for: the files of a live session become those of an earlier checkpoint. */
export interface Restores {
  /** Sets the files back, now; nothing may run meanwhile. Never rejects: how it went is told. */
  run(checkpoint: CheckpointRef): Promise<void>
  /** Resolves when none is under way. */
  settled(): Promise<void>
  /** Adds to a prompt that the files were set back since the last one. */
  withNote(prompt: Prompt): Prompt
  /** The agent has got the note. */
  markTold(): Promise<void>
}

export interface RestoresOptions {
  session: Pick<Session, 'welcome' | 'layout' | 'sandbox' | 'home' | 'over' | 'log'>
  workspace: Workspace
  emit(body: RunnerFactBody): void
  /** Saves the session before and after; there is none before the agent is there. */
  saver(): Saver | undefined
  now(): number
}

export const createRestores = (options: RestoresOptions): Restores => {
  const { session, workspace, emit, saver, now } = options
  const { welcome, layout, sandbox, home, over, log } = session
  let last: Promise<void> = Promise.resolve()
  let pending = false
  const onProblem = (error: unknown) => log.warn({ err: String(error).slice(0, 500) }, 'restore')
  const setBack = async (checkpoint: CheckpointRef) => {
    const { number, turn } = checkpoint
    const began = now()
    try {
      // What is there now can be gone back to as well.
      await saver()?.now('request')
      const { files } = await workspace.exclusively((save) =>
        setBackFiles(
          {
            ...{ workspace, save, layout, sandbox, owner: welcome.owner },
            limits: workspaceLimits(welcome.settings),
            source: { home, signal: over, onProblem },
          },
          checkpoint,
        ),
      )
      await workspace.update((state) => ({ ...state, setBack: { number, turn } }))
      emit({
        type: 'workspace.restored',
        data: { checkpoint: number, turn, files, ms: Math.round(now() - began) },
      })
      await saver()?.now('request')
    } catch (error) {
      if (over.aborted) return
      onProblem(error)
      const why = error instanceof Error ? error.message : String(error)
      const message = `The files could not be set back to checkpoint ${number}, and are as they were: ${why}`
      emit({
        type: 'workspace.restore_failed',
        data: { checkpoint: number, message: message.slice(0, 4000) },
      })
    }
  }
  return {
    run(checkpoint) {
      last = last.then(() => setBack(checkpoint))
      return last
    },
    settled: () => last,
    withNote: (prompt) => async (seq, signal) => {
      const content = await prompt(seq, signal)
      const { setBack: done } = workspace.state
      // With a slash command the note waits for the next prompt.
      if (done === undefined || isSlashCommand(content)) return content
      pending = true
      return [...content, { type: 'text', text: note(done.number) }]
    },
    async markTold() {
      if (!pending) return
      pending = false
      await workspace.update(({ setBack: _, ...state }) => state).catch(onProblem)
    },
  }
}

const note = (number: number): string =>
  `<system-reminder>\nSince your last turn, a person set the files of the workspace back to an earlier state (checkpoint ${number}). ` +
  'Files that you wrote later are gone or as they were then; branches, commits and ignored files are as you left them. ' +
  'Read files again before you rely on them.\n</system-reminder>'
