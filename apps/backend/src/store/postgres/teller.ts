import type { Notice } from '../port.ts'
import type { Connection, Connections } from './connections.ts'

/** What a transaction did, and what those who watch are told of it. */
export interface Told<T> {
  value: T
  notices: readonly Notice[]
}

interface Turn {
  /** All that took revisions of the same projects before have told. */
  come: Promise<unknown>
  end(): void
}

/**
 * Runs transactions and tells of them in the order in which they were committed, as far as they changed the same lists. The
 * answers to two COMMITs may arrive in another order, because they come over two connections.
 */
export class Teller {
  readonly #connections: Pick<Connections, 'transact'>
  readonly #tell: (notices: readonly Notice[]) => void
  readonly #last = new Map<string, Promise<void>>()

  constructor(connections: Pick<Connections, 'transact'>, tell: (notices: readonly Notice[]) => void) {
    this.#connections = connections
    this.#tell = tell
  }

  /** Resolves when it is durable and told. */
  async transact<T>(work: (connection: Connection) => Promise<Told<T>>, isolation?: string): Promise<T> {
    let turn: Turn | undefined
    try {
      const { value, notices } = await this.#connections.transact(async (connection) => {
        turn?.end()
        const told = await work(connection)
        // Here the rows of its projects are locked, so nobody else can have taken a revision since.
        turn = this.#take(told.notices)
        return told
      }, isolation)
      await turn?.come
      this.#tell(notices)
      return value
    } finally {
      turn?.end()
    }
  }

  #take(notices: readonly Notice[]): Turn {
    const projects = new Set(
      notices.flatMap(({ project, change }) => (change === undefined ? [] : [project])),
    )
    const come = Promise.all([...projects].map((project) => this.#last.get(project)))
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const project of projects) this.#last.set(project, promise)
    const end = () => {
      resolve()
      for (const project of projects) if (this.#last.get(project) === promise) this.#last.delete(project)
    }
    return { come, end }
  }
}
