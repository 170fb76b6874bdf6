import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import type { Engine } from './engine.ts'

const run = promisify(execFile)

/** Bytes of an image as a registry keeps it, with gzip. */
export const compressedSize = (engine: Engine, image: string): Promise<number> =>
  engine === 'docker' ? ofDocker(image) : ofLayout(engine, image)

/** What is pushed to a directory as to a registry: the sizes stand in its manifest. */
const ofLayout = async (engine: Engine, image: string): Promise<number> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-image-'))
  try {
    await run(engine, ['push', '--quiet', '--format', 'oci', image, `oci:${directory}:measured`])
    const read = async (file: string) => JSON.parse(await readFile(join(directory, file), 'utf8'))
    const [{ digest }] = (await read('index.json')).manifests
    const { config, layers } = await read(`blobs/${digest.replace(':', '/')}`)
    return [config, ...layers].reduce((sum: number, { size }: { size: number }) => sum + size, 0)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** docker pushes to registries alone: here its layers are compressed in one piece. */
const ofDocker = async (image: string): Promise<number> => {
  const child = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let size = 0
  for await (const chunk of child.stdout.pipe(createGzip())) size += (chunk as Buffer).length
  const [code] = await ended
  if (code !== 0) throw new Error(`docker save ${image} ended with ${code}.`)
  return size
}
