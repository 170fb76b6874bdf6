import {
  type Actor,
  type AuditResult,
  type EventData,
  preview,
  repositoryName,
  type SessionState,
} from '@berth/contract'
import { backendActor } from '../session/deciders/draft.ts'
import type { SessionService } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { type GitTarget, targetOf } from './git-target.ts'

/** Who stands behind a push: whoever sent the prompt of the turn that runs. */
export interface PushSender {
  turn?: string
  onBehalfOf?: Actor
}

export interface PushOf {
  runner: RunnerIdentity
  state: SessionState
  target: GitTarget
  /** Missing: it was refused before any ref was read. */
  ref?: string
  from?: string
  to?: string
}

export interface PushBookOptions {
  service: SessionService
  store: Store
}

/** Refusals of a session that are told within a minute; an agent may ask as often as it likes. */
const toldPerMinute = 10
const mostSessions = 5000

/** Writes down what becomes of pushes: in the session's log for its users, and in the audit. */
export class PushBook {
  readonly #options: PushBookOptions
  readonly #told = new Map<string, { minute: number; count: number }>()

  constructor(options: PushBookOptions) {
    this.#options = options
  }

  /** Who sent the prompt of the turn under way. */
  async senderOf({ summary }: SessionState): Promise<PushSender> {
    const { turn } = summary
    if (turn === undefined) return {}
    const range = { after: turn.promptSeq - 1, limit: 1, maxBytes: 1 }
    const [line] = await this.#options.store.events(summary.id, range)
    const actor = line === undefined ? undefined : (JSON.parse(line.json) as { actor?: Actor }).actor
    return { turn: turn.turn, onBehalfOf: actor }
  }

  /** The branch is there: the git server was asked. */
  async pushed(push: PushOf & { ref: string; to: string }): Promise<void> {
    const { runner, state, target, ref, from, to } = push
    const own = state.repositories.find(({ url }) => targetOf(url)?.key === target.key)
    const data: EventData<'git.pushed'> = {
      name: own?.name ?? repositoryName(own?.url ?? target.url),
      url: target.url,
      branch: ref.slice('refs/heads/'.length),
      commit: to,
      previous: from,
      ...(await this.senderOf(state)),
    }
    const { session } = runner
    await this.#options.service.run({ session, command: { kind: 'git-pushed', actor: backendActor, data } })
    await this.#record(push, { result: 'done', sender: data })
  }

  /** It was refused, here or by the git server, or is not there. */
  async refused(
    push: PushOf,
    { result, reason }: { result: 'refused' | 'failed'; reason: string },
  ): Promise<void> {
    const { runner, state, target, ref } = push
    const { session } = runner
    if (!this.#mayTell(session)) return
    const sender = await this.senderOf(state)
    const message = preview(reason, 1000)
    const data: EventData<'git.refused'> = {
      url: target.url,
      ref: ref === undefined ? undefined : preview(printable(ref), 250),
      message,
      ...sender,
    }
    await this.#options.service.run({ session, command: { kind: 'git-refused', actor: backendActor, data } })
    await this.#record(push, { result, sender, reason: message })
  }

  async #record(
    { runner, target, ref, from, to }: PushOf,
    { result, sender, reason }: { result: AuditResult; sender: PushSender; reason?: string },
  ): Promise<void> {
    const { session, project } = runner
    const { turn, onBehalfOf } = sender
    const details = { repository: target.url, ref, old: from, new: to, reason, turn, onBehalfOf }
    await this.#options.store.recordAudit({
      ...{ at: this.#options.service.now(), action: 'git.pushed', project, session, result, details },
      actor: { kind: 'runner', id: session },
      object: { kind: 'repository', id: target.url },
    })
  }

  #mayTell(session: string): boolean {
    const minute = Math.floor(this.#options.service.now() / 60_000)
    const told = this.#told.get(session)
    const count = told?.minute === minute ? told.count + 1 : 1
    this.#told.delete(session)
    this.#told.set(session, { minute, count })
    const [oldest] = this.#told.keys()
    if (this.#told.size > mostSessions && oldest !== undefined) this.#told.delete(oldest)
    return count <= toldPerMinute
  }
}

/** A ref may have any bytes. */
const printable = (ref: string): string => ref.replace(/[^\x21-\x7e]+/g, '?')
