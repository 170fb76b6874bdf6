import { PassThrough, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type CheckpointGit, longMs, unreadable } from './checkpoint-git.ts'

/** The content of one object, streamed. */
export const readObject = (git: CheckpointGit, mirror: string, object: string): Readable => {
  const { stdout, ended } = git.start({ mirror, args: ['cat-file', 'blob', object], timeoutMs: longMs })
  const content = new PassThrough()
  stdout.pipe(content, { end: false })
  content.once('close', () => stdout.destroy())
  void ended.then(({ ok, stderr }) => {
    if (ok) content.end()
    else content.destroy(unreadable(`git says: ${stderr.trim().slice(0, 500)}`))
  })
  return content
}

/** The contents of many objects, one after another: each has to be read to its end before the next comes. */
export async function* readObjects(
  git: CheckpointGit,
  mirror: string,
  objects: readonly { object: string; size: number }[],
): AsyncGenerator<Readable, void, undefined> {
  const input = Readable.from(objects.map(({ object }) => `${object}\n`))
  const { stdout } = git.start({ mirror, args: ['cat-file', '--batch'], input, timeoutMs: longMs })
  const bytes = new ByteReader(stdout)
  try {
    for (const { object, size } of objects) {
      const head = await bytes.line()
      if (head !== `${object} blob ${size}`) throw unreadable(`git has no object ${object}`)
      const content = Readable.from(bytes.take(size), { objectMode: false })
      yield content
      await finished(content, { writable: false })
      await bytes.line()
    }
  } finally {
    stdout.destroy()
  }
}

/** Takes lines and runs of bytes from a stream, as they are asked for. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10)
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 1)
        return line
      }
      if (this.#rest.length > 1000) throw unreadable('git’s answer is not one')
      this.#rest = Buffer.concat([this.#rest, await this.#next()])
    }
  }

  async *take(size: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0) this.#rest = await this.#next()
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  async #next(): Promise<Buffer> {
    const { value, done } = await this.#chunks.next()
    if (done === true) throw unreadable('git’s answer ended early')
    return value
  }
}
