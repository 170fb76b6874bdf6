import type { BlobRef } from '@berth/contract'
import { collect, lastLine, startBoxed } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import { workspaceMounts } from '../workspace/shadow.ts'
import { placesOf } from '../workspace/tree-place.ts'
import { packProblems, packScript } from './pack-script.ts'
import { type BlobSink, storeParts } from './upload.ts'

export interface PackOptions {
  /** Path of the tree below the workspace. */
  path: string
  wants: readonly string[]
  haves: readonly string[]
  /** Nothing is had but a base. */
  full: boolean
  sink: BlobSink
  mostBytes: number
  layout: Layout
  sandbox: Sandbox
  signal: AbortSignal
}

/** Objects that can't be packed: something of the agent's repository is missing or broken. */
export class Unpackable extends Error {
  override readonly name = 'Unpackable'
}

/** An hour: the output is read no faster than the blob store takes it. */
const timeoutMs = 3_600_000

/** Packs objects of a tree and stores the parts. Rejects with Unpackable, StorageFull or TooMuch. */
export const packTree = async (options: PackOptions): Promise<BlobRef[]> => {
  const { path, wants, haves, full, sink, mostBytes, layout, sandbox, signal } = options
  const process = startBoxed(sandbox, {
    script: packScript,
    args: [placesOf(layout, path).shadow, full ? 'yes' : 'no'],
    mounts: workspaceMounts(layout),
    cwd: layout.inside.workspace,
    temporary: layout.inside.temporary,
    timeoutMs,
  })
  const kill = () => process.kill('SIGKILL')
  signal.addEventListener('abort', kill)
  process.stdin.on('error', () => undefined)
  process.stdin.end(`${[...wants, ...haves.map((object) => `^${object}`)].join('\n')}\n`)
  const said = collect(process.stderr, 16 * 1024, () => undefined)
  try {
    const parts = await storeParts(process.stdout, sink, mostBytes)
    const exit = await process.exited
    if (exit.code === 0) return parts
    signal.throwIfAborted()
    const line = lastLine((await said).toString('utf8')) || exit.message
    throw new Unpackable(packProblems[exit.code ?? 0] ? `${packProblems[exit.code ?? 0]} (${line})` : line)
  } catch (error) {
    kill()
    await process.exited
    throw error
  } finally {
    signal.removeEventListener('abort', kill)
  }
}
