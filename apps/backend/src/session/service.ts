import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  type Actor,
  aboveMaxima,
  BerthError,
  type EffectiveSettings,
  limits,
  makeId,
  type OperatorSettings,
  type PromptBlock,
  preview,
  type SessionState,
  type Settings,
  type StoredBlock,
} from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { AppendResult, Idempotency, Store } from '../store/port.ts'
import type { Command } from './command.ts'
import { type SettingsOf, settingsResolver } from './operator-settings.ts'
import { hiderOf } from './redact/hider.ts'

export interface ServiceOptions {
  store: Store
  blobs: BlobStore
  /** Milliseconds since 1970. */
  now: () => number
  random: (bytes: number) => Uint8Array
  /** What must not be shown. Default: nothing. */
  secrets?: Pick<Secrets, 'hidden'>
  /** What the operator sets for all projects. Default: nothing. */
  operator?: OperatorSettings
  /** A session may need a step of the reconciler. */
  wake: (session: string) => void
}

export interface CommandRequest {
  session: string
  project?: string
  command: Command
  idempotency?: Idempotency
  settingsVersion?: number
  tokenHash?: string
  /** Recorded with what is appended. */
  audit?: AuditDraft
  /** The stamp of the project's secrets, when it is known. */
  stamp?: number
}

const rememberedProjects = 10_000

/** Commands whose events hold no text of anybody's. */
const silent: ReadonlySet<Command['kind']> = new Set([
  ...(['withdraw', 'interrupt', 'stop', 'resume', 'delete', 'restore', 'launch', 'limits'] as const),
  ...(['enforce', 'warn', 'wait', 'usage', 'budget', 'show-secrets'] as const),
])

/** The one writer: everything that happens to a session goes through `run`. */
export class SessionService {
  /** The settings that count. */
  readonly settingsOf: SettingsOf
  readonly #options: ServiceOptions
  /** The projects of sessions. */
  readonly #projects = new Map<string, string>()

  constructor(options: ServiceOptions) {
    this.#options = options
    this.settingsOf = settingsResolver(options.operator)
  }

  /** Rejects settings that are more than the operator allows, with each field; `prefix` is where they stand, with a dot. */
  checkMaxima(settings: Settings, prefix: string): void {
    const above = aboveMaxima(settings, this.#options.operator?.maxima ?? {})
    if (above.length === 0) return
    const fields = above.map(({ name, most }) => ({
      field: `${prefix}${name}`,
      message: `is more than the ${most} that the operator of this Berth allows`,
    }))
    throw new BerthError('invalid_input', 'Some settings are more than they may be here.', fields)
  }

  now(): number {
    return this.#options.now()
  }

  newId(kind: 'session' | 'turn' | 'prompt' | 'operation' | 'upload'): string {
    return makeId(kind, this.now(), this.#options.random(10))
  }

  async run({ stamp, ...request }: CommandRequest): Promise<AppendResult> {
    const secrets = silent.has(request.command.kind) ? undefined : await this.#hidden(request, stamp)
    const times = { turn: this.newId('turn'), now: this.now() }
    const result = await this.#options.store.append({ ...request, ...times, secrets })
    if (needsStep(result, request.command)) this.#options.wake(request.session)
    return result
  }

  async #hidden({ session, project, command }: CommandRequest, stamp?: number) {
    if (this.#options.secrets === undefined) return undefined
    const known = project ?? (command.kind === 'create' ? command.project : this.#projects.get(session))
    const name = known ?? (await this.#options.store.state(session))?.summary.project
    if (name === undefined) return undefined
    // A session stays in its project.
    if (known === undefined) this.#projects.set(session, name)
    const [oldest] = this.#projects.keys()
    if (this.#projects.size > rememberedProjects && oldest !== undefined) this.#projects.delete(oldest)
    return this.#options.secrets.hidden(name, stamp)
  }

  /** A session may need a step of the reconciler though nothing was appended to its log. */
  wake(session: string): void {
    this.#options.wake(session)
  }

  /** The state of a session; rejects with `session_not_found`. */
  async state(session: string): Promise<SessionState> {
    const state = await this.#options.store.state(session)
    if (state === undefined) throw notFound(session)
    return state
  }

  /** Puts what is too large for an event into the blob store. */
  async storePrompt(
    { session, project }: { session: string; project: string },
    content: string | PromptBlock[],
  ): Promise<StoredBlock[]> {
    const blocks: PromptBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const hider = hiderOf(await this.#options.secrets?.hidden(project))
    return Promise.all(
      blocks.map((block) => {
        const isLong = block.type === 'text' && Buffer.byteLength(block.text) > limits.inlineText
        const hidden = isLong && hider !== undefined ? { ...block, text: hider.whole(block.text) } : block
        return this.#storeBlock(session, hidden)
      }),
    )
  }

  async #storeBlock(session: string, block: PromptBlock): Promise<StoredBlock> {
    if (block.type === 'text') {
      if (Buffer.byteLength(block.text) <= limits.inlineText) return block
      const full = await this.#storeBytes(session, Buffer.from(block.text), 'text/plain; charset=utf-8')
      return { type: 'text', text: preview(block.text, limits.preview), full }
    }
    const { data, ...rest } = block
    return { ...rest, content: await this.#storeBytes(session, Buffer.from(data, 'base64'), block.mediaType) }
  }

  async #storeBytes(session: string, bytes: Buffer, mediaType: string) {
    const blob = createHash('sha256').update(bytes).digest('hex')
    await this.#options.blobs.put(session, { blob, content: Readable.from([bytes]), maxBytes: limits.blob })
    return { blob, size: bytes.length, mediaType }
  }
}

/** Whether the reconciler has something to do after this: not while a runner is there, as it should, or there is no room. */
const needsStep = ({ lines, state: { live, summary } }: AppendResult, { kind }: Command): boolean => {
  if (lines.length === 0 || kind === 'wait') return false
  return kind === 'set' || !live || summary.desired !== 'running' || summary.status.phase === 'failed'
}

export const notFound = (session: string) =>
  new BerthError('session_not_found', `There is no session ${session} in this project.`)

type AllowedModels = Pick<EffectiveSettings, 'allowedModels'>

/** Whether the project allows a model. */
export const allowsModel = (model: string, { allowedModels }: AllowedModels): boolean =>
  allowedModels.length === 0 ||
  allowedModels.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model,
  )

/** Rejects a model that the project does not allow. */
export const checkModel = (model: string | undefined, { allowedModels }: AllowedModels): void => {
  if (model !== undefined && !allowsModel(model, { allowedModels }))
    throw new BerthError(
      'model_not_allowed',
      `The project does not allow the model ${model}. Allowed: ${allowedModels.join(', ')}.`,
    )
}

/** A title made from the first prompt: its first line, shortened at a word. */
export const titleFrom = (content: string | PromptBlock[] | undefined): string => {
  const text = typeof content === 'string' ? content : content?.find((block) => block.type === 'text')?.text
  const line = (text ?? '').trim().split('\n')[0]?.replace(/\s+/g, ' ') ?? ''
  if (line === '') return 'New session'
  return line.length <= 80 ? line : `${preview(line, 79).replace(/\s+\S*$/, '')}…`
}

export const systemActor = (id: string): Actor => ({ kind: 'backend', id })
