import type { AnyEvent, EventOf } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { createBlockView } from './blocks.ts'
import { eventLine } from './event-line.ts'
import type { LineView } from './lines/liner.ts'
import { createLiveText } from './live-text.ts'
import { createPromptLines } from './prompt-lines.ts'
import { createRepositoryLines } from './repository-lines.ts'
import { createStartSteps } from './start-steps.ts'
import { createTodoLines } from './todo-lines.ts'
import { wrap } from './wrap.ts'

/** A session as it is told on a terminal, event by event. */
export interface LiveView {
  /** What to write for this event; may be nothing. `silent`: the person sees it elsewhere, as a dialogue. */
  push(event: AnyEvent, silent?: boolean): string
  /** What to write for a word of the command itself. */
  note(text: string): string
  /** The cursor stands at the beginning of a line. */
  atLineStart(): boolean
}

export interface LiveViewOptions {
  style: Style
  /** What is one line is cut to this width. */
  columns: () => number
  /** Also what is seldom of interest. Default: false. */
  verbose?: boolean | undefined
  /** Written scenarios answer. Default: as `session.created` says, when that is seen. */
  scripted?: boolean | undefined
  /** Prose is broken at this width. Default: never. */
  wrapAt?: () => number
}

export const createLiveView = ({ wrapAt = () => Infinity, ...options }: LiveViewOptions): LiveView => {
  const { style } = options
  const out = createLiveText()
  const blocks = createBlockView(out, { ...options, wrapAt })
  const lineOf = createLiner({
    style,
    verbose: options.verbose ?? false,
    scripted: options.scripted ?? false,
  })
  const prompts = createPromptLines(style)
  let last: string | undefined
  let saidChanges = false

  const write = (event: AnyEvent, line: string) => {
    // The same trouble again and again is told once.
    if (line === last) return
    last = line
    const closes = event.type === 'turn.ended' ? !saidChanges : event.type === 'workspace.snapshot'
    saidChanges = event.type === 'workspace.snapshot'
    if (closes || event.type === 'prompt.queued' || event.type === 'turn.started') out.gap()
    blocks.line(wrap(line, wrapAt(), 2))
  }
  const tell = (event: AnyEvent, silent: boolean) => {
    if (toBlocks(event, blocks)) {
      last = undefined
      return
    }
    if (endsText.has(event.type)) blocks.settle()
    const line = prompts.line(event) ?? lineOf(event)
    if (line !== undefined && !silent) write(event, line)
  }
  return {
    push: (event, silent = false) => {
      tell(event, silent)
      return out.take()
    },
    note: (text) => {
      out.line(wrap(text, wrapAt(), 2))
      return out.take()
    },
    atLineStart: out.atLineStart,
  }
}

const toBlocks = (event: AnyEvent, blocks: ReturnType<typeof createBlockView>): boolean => {
  switch (event.type) {
    case 'block.started':
      blocks.started(event)
      return true
    case 'block.delta':
      blocks.delta(event)
      return true
    case 'block.completed':
      blocks.completed(event)
      return true
    case 'block.aborted':
      blocks.aborted(event)
      return true
    case 'tool.result':
      blocks.result(event)
      return true
    default:
      return false
  }
}

/** Lines that depend on what was said before. */
const createLiner = ({ scripted, ...view }: LineView & { scripted: boolean }) => {
  const { style } = view
  const told = new Set<string>()
  const step = createStartSteps(style, told)
  const todos = createTodoLines(style)
  const repository = createRepositoryLines(style, told)
  let isScripted = scripted
  const failure = (words: string, { data }: EventOf<'session.failed'> | EventOf<'start.failed'>) => {
    const message = told.has(data.message) ? '' : `: ${safeText(data.message)}`
    told.add(data.message)
    return style.red(`✗ ${words} (${data.reason})${message}`)
  }
  const once = (line: string): string | undefined => {
    if (told.has(line)) return undefined
    told.add(line)
    return line
  }
  return (event: AnyEvent): string | undefined => {
    const line = repository(event)
    if (line !== undefined) return line
    switch (event.type) {
      case 'session.created':
        isScripted = event.data.model === 'scripted'
        return eventLine(event, view)
      case 'start.step':
      case 'generation.step':
        return step(event)
      case 'agent.ready': {
        // Told again with the model once it is known; the first one says no more than the step of the start.
        const { model, version = '' } = event.data
        if (model === undefined) return undefined
        const answers = isScripted ? 'answered by the scripted model' : safeLine(model)
        return once(style.dim(`  Claude Code ${safeLine(version)}, ${answers}`))
      }
      case 'agent.todos':
        return todos(event)
      case 'start.failed':
        return failure('The start failed', event)
      case 'session.failed':
        return failure('Failed', event)
      default:
        return eventLine(event, view)
    }
  }
}

/** After these no open text goes on. */
const endsText = new Set<AnyEvent['type']>([
  'prompt.queued',
  'turn.ended',
  'generation.ended',
  'session.failed',
  'permission.requested',
  'question.asked',
])
