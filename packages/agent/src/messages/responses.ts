import type { OpenBlock } from '../block-writer.ts'

/** One response of the model while it streams; the main agent has one, and each subagent. */
export interface Response {
  id: string | undefined
  /** By their index; those which the whole message has not yet confirmed. */
  open: Map<number, OpenBlock>
  /** The model has ended it. */
  stopped: boolean
}

/** The responses that stream now. Claude Code may be subverted, so there is a limit to all of it. */
export interface Responses {
  /** The response of a subagent, by the tool use that started it, or of the main agent. */
  of(parent: string | undefined): Response
  /** Notes a block that begins; the one in its place, or the oldest of too many, is given up. */
  open(response: Response, index: number, block: OpenBlock): void
  all(): Iterable<Response>
  clear(): void
  size(): number
}

/** Responses at once, and open blocks of each. */
const maxResponses = 64
const maxOpen = 64

export const tooManyOpen = 'Too many pieces were open at once.'

export const createResponses = (deps: {
  abandon(response: Response, reason: string): void
  drop(block: OpenBlock): void
}): Responses => {
  const responses = new Map<string, Response>()
  return {
    of(parent) {
      const key = parent ?? ''
      const known = responses.get(key)
      if (known !== undefined) return known
      const [oldest] = responses
      if (oldest !== undefined && responses.size >= maxResponses) {
        deps.abandon(oldest[1], tooManyOpen)
        responses.delete(oldest[0])
      }
      const response: Response = { id: undefined, open: new Map(), stopped: false }
      responses.set(key, response)
      return response
    },
    open({ open }, index, block) {
      const [oldest] = open
      const given = open.get(index) ?? (open.size >= maxOpen ? oldest?.[1] : undefined)
      if (given !== undefined) {
        deps.drop(given)
        for (const [at, one] of open) if (one === given) open.delete(at)
      }
      open.set(index, block)
    },
    all: () => responses.values(),
    clear: () => responses.clear(),
    size: () => responses.size,
  }
}
