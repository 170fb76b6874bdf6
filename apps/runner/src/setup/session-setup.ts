import { rootCertificates } from 'node:tls'
import type { McpRelay } from '@berth/agent'
import type { RunnerClient } from '@berth/client'
import {
  type EffectiveSettings,
  limits,
  preview,
  type RunnerFactBody,
  type RunnerWelcome,
  type WorkflowSource,
} from '@berth/contract'
import type { AgentKeeper } from '../agent/keeper.ts'
import type { AgentKit } from '../agent/kit.ts'
import { nodeInside } from '../agent/sandboxed-claude.ts'
import type { Layout } from '../layout.ts'
import { changedSettings } from './changed-settings.ts'
import { authorityFile, egressRelayFile, egressRelayScript } from './egress-relay-script.ts'
import { emptyDirectory } from './empty-directory.ts'
import { guardFile, type LaunchPlan, type PlanInput, planLaunch, setupContent } from './launch-plan.ts'
import { mcpGuardScript } from './mcp-guard-script.ts'
import type { LoadedWorkflow } from './workflow.ts'
import { writeSetup } from './write-setup.ts'

export interface SessionSetupOptions {
  welcome: Pick<RunnerWelcome, 'settings'>
  layout: Layout
  /** Where Claude Code works, inside; known when the first one starts. */
  workspace(): string
  kit: Pick<AgentKit, 'setupFiles'>
  home: Pick<RunnerClient, 'settings'>
  /** Reads a workflow into its directory. Rejects with what is wrong. */
  load(source: WorkflowSource): Promise<LoadedWorkflow>
  relay(name: string): McpRelay
  /** The certificate that programs have to trust to reach other hosts. */
  egressAuthority(): Promise<string>
  emit(body: RunnerFactBody): void
  onProblem(error: unknown): void
}

/** How the agent of a session is set up, and what becomes of it when settings change. */
export interface SessionSetup {
  readonly settings: EffectiveSettings
  /** Lays out what the next Claude Code is shown: while none lives. Never rejects. */
  arrange(): Promise<void>
  plan(): LaunchPlan
  /**
   * Before a turn: asks which settings count now, and applies what has changed. The model changes in the live Claude Code;
   * for everything else another one goes on in the same conversation. One at a time; `may` is asked last. Never rejects.
   */
  refresh(keeper: AgentKeeper, may?: () => boolean): Promise<void>
}

export const createSessionSetup = (options: SessionSetupOptions): SessionSetup => {
  const { layout, emit } = options
  let { settings } = options.welcome
  let workflow: LoadedWorkflow | undefined
  /** The workflow that was read last, or tried: undefined before the first. */
  let tried: string | undefined
  let refreshing = Promise.resolve()

  const input = (): PlanInput => ({
    settings,
    workflow,
    layout,
    workspace: options.workspace(),
    node: nodeInside(layout),
    relay: options.relay,
  })

  const readWorkflow = async () => {
    const wanted = JSON.stringify(settings.workflow ?? null)
    if (wanted === tried) return
    const first = tried === undefined
    tried = wanted
    workflow = undefined
    if (settings.workflow === undefined) {
      if (!first) await emptyDirectory(layout.outside.workflow)
      return
    }
    workflow = await load(options, settings.workflow)
  }

  const egressFiles = async (): Promise<Record<string, string>> => {
    if (settings.egress.length === 0) return {}
    // Without a sandbox programs may also go out by themselves, and then need what they trusted before.
    const others = layout.inside.tools === '' ? rootCertificates : []
    const authority = [await options.egressAuthority(), ...others].join('\n')
    return { [egressRelayFile]: egressRelayScript, [authorityFile]: authority }
  }

  const write = async () => {
    const files = options.kit.setupFiles(setupContent(input()))
    await writeSetup(layout.outside.setup, {
      ...files,
      ...(await egressFiles()),
      [guardFile]: mcpGuardScript,
    })
  }

  const apply = async (keeper: AgentKeeper, next: EffectiveSettings) => {
    const changed = changedSettings(settings, next)
    settings = next
    if (changed.length === 0) return
    const agent = await keeper.ready()
    if (changed.every((name) => name === 'model')) await agent.setModel(next.model)
    else {
      keeper.renew()
      await keeper.ready()
    }
    emit({ type: 'agent.reconfigured', data: { changed } })
  }

  return {
    get settings() {
      return settings
    },
    async arrange() {
      await readWorkflow()
      await write().catch((error) => {
        options.onProblem(error)
        notice(options, `The agent’s set-up could not be written: ${messageOf(error)}`)
      })
    },
    plan: () => planLaunch(input()),
    refresh(keeper, may = () => true) {
      refreshing = refreshing.then(async () => {
        try {
          const next = await options.home.settings()
          if (may()) await apply(keeper, next.settings)
        } catch (error) {
          // The turn goes on with what counted before; whoever can't start at all says so itself.
          options.onProblem(error)
        }
      })
      return refreshing
    },
  }
}

const load = async (
  { load: read, emit }: SessionSetupOptions,
  source: WorkflowSource,
): Promise<LoadedWorkflow | undefined> => {
  const began = performance.now()
  const item = preview(source.url, 200)
  const step = (state: 'started' | 'done' | 'failed', message?: string) =>
    emit({
      type: 'start.step',
      data: {
        step: 'workflow',
        item,
        state,
        ...(state === 'started' ? {} : { ms: Math.round(performance.now() - began) }),
        ...(message === undefined ? {} : { message }),
      },
    })
  step('started')
  try {
    const loaded = await read(source)
    const { name, description, startupPrompt, results } = loaded.manifest
    emit({
      type: 'workflow.loaded',
      data: {
        ...source,
        name,
        description,
        startupPrompt,
        results,
        branch: loaded.branch,
        commit: loaded.commit,
      },
    })
    step('done')
    return loaded
  } catch (error) {
    const message = preview(messageOf(error), limits.message)
    emit({ type: 'workflow.failed', data: { url: source.url, message } })
    step('failed', message)
    return undefined
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const notice = ({ emit }: SessionSetupOptions, message: string) =>
  emit({ type: 'runner.notice', data: { level: 'warning', message: preview(message, limits.message) } })
