import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface WorkroomOptions {
  /** Belongs to one process at a time; what is in it is removed at the start. */
  directory: string
  /** Repositories that are kept while nobody uses them. Default: 32. */
  maxRepositories?: number
  /** Their bytes. Default: 4 GiB. */
  maxBytes?: number
}

/** A repository that stays as it is until it is released. */
export interface Lease {
  path: string
  release(): void
}

interface Kept {
  path: string
  bytes: number
  users: number
}

/**
 * Where checkpoints lie unpacked: what was used last is kept, up to a number and size. Everything in it can be made again,
 * so nothing is remembered over a restart, and what a kill left is removed at the next start.
 */
export class Workroom {
  readonly #directory: string
  readonly #maxRepositories: number
  readonly #maxBytes: number
  /** In the order of their last use. */
  readonly #kept = new Map<string, Kept>()
  readonly #building = new Map<string, Promise<Kept>>()
  #queue: Promise<unknown> = Promise.resolve()

  static async open(options: WorkroomOptions): Promise<Workroom> {
    await rm(options.directory, { recursive: true, force: true })
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    return new Workroom(options)
  }

  private constructor({ directory, maxRepositories = 32, maxBytes = 4 * 1024 ** 3 }: WorkroomOptions) {
    this.#directory = directory
    this.#maxRepositories = maxRepositories
    this.#maxBytes = maxBytes
  }

  /** The repository of a key, built when it isn't there. Who asks for one that is being built waits for that. */
  async acquire(key: string, build: (path: string) => Promise<void>): Promise<Lease> {
    const kept = this.#kept.get(key) ?? (await (this.#building.get(key) ?? this.#build(key, build)))
    kept.users += 1
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    let released = false
    const release = () => {
      if (released) return
      released = true
      this.#release(kept)
    }
    return { path: kept.path, release }
  }

  #release(kept: Kept): void {
    kept.users -= 1
    void this.#tidy()
  }

  /** A place for something that ends with the task. */
  async scratch<T>(task: (path: string) => Promise<T>): Promise<T> {
    const path = this.#place()
    try {
      return await task(path)
    } finally {
      await rm(path, { recursive: true, force: true })
    }
  }

  /** The same, until it is released. */
  scratchLease(): Lease {
    const path = this.#place()
    return { path, release: () => void rm(path, { recursive: true, force: true }).catch(() => undefined) }
  }

  #place(): string {
    return join(this.#directory, `${randomUUID()}.git`)
  }

  #build(key: string, build: (path: string) => Promise<void>): Promise<Kept> {
    // One at a time: git may take much memory for a pack that was made to need it.
    const built = this.#queue.then(async () => {
      const path = this.#place()
      try {
        await build(path)
        const kept = { path, bytes: await sizeOf(join(path, 'objects', 'pack')), users: 1 }
        this.#kept.set(key, kept)
        // Held until those who wait for it have taken it.
        setImmediate(() => this.#release(kept))
        return kept
      } catch (error) {
        await rm(path, { recursive: true, force: true })
        throw error
      } finally {
        this.#building.delete(key)
      }
    })
    this.#queue = built.catch(() => undefined)
    this.#building.set(key, built)
    return built
  }

  async #tidy(): Promise<void> {
    for (const [key, { path, users }] of this.#kept) {
      if (!this.#isOver()) return
      if (users > 0) continue
      this.#kept.delete(key)
      await rm(path, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  #isOver(): boolean {
    const all = [...this.#kept.values()]
    return (
      all.length > this.#maxRepositories || all.reduce((sum, { bytes }) => sum + bytes, 0) > this.#maxBytes
    )
  }
}

const sizeOf = async (directory: string): Promise<number> => {
  const names = await readdir(directory).catch(() => [])
  const stats = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => undefined)))
  return stats.reduce((sum, info) => sum + (info?.size ?? 0), 0)
}
