import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { read, root } from '../house/tracked-files.ts'
import { compressedSize } from './compressed-size.ts'
import { buildImage, findEngine } from './engine.ts'

export interface ImagesRequest {
  /** Default: the version. */
  tag?: string
  /** Put before the names, such as `registry.example.com/`. Default: nothing. */
  prefix?: string
  /** Builds every layer anew, on top of base images that are there. Default: what did not change is kept. */
  noCache?: boolean
}

/** An image that was built. */
export interface ImageReport {
  image: string
  engine: string
  seconds: number
  /** As a registry keeps it. */
  compressedBytes: number
}

const parts = ['backend', 'runner'] as const

/** Options for the engine, separated by spaces, e.g. `--network host`. */
const engineOptions = (): string[] =>
  (process.env.BERTH_IMAGE_BUILD_OPTIONS ?? '').split(' ').filter((option) => option !== '')

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', args, { cwd: root }).catch(() => ({ stdout: '' }))).stdout.trim()

/** Values for the labels of images, of the commit that is checked out. */
const labels = async (): Promise<Record<string, string>> => {
  const { version } = JSON.parse(read('package.json'))
  const [revision, created, source] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('log', '-1', '--format=%cI'),
    git('config', '--get', 'remote.origin.url'),
  ])
  return {
    VERSION: version,
    REVISION: revision || 'unknown',
    CREATED: created || '1970-01-01T00:00:00Z',
    // An address may have credentials in it.
    SOURCE: source.replace(/\/\/[^/]*@/, '//') || 'unknown',
  }
}

/** Builds both images with whatever builds images here. */
export const buildImages = async ({
  tag,
  prefix = '',
  noCache = false,
}: ImagesRequest): Promise<ImageReport[]> => {
  const engine = await findEngine()
  if (engine === undefined)
    throw new Error('Nothing here builds images. Install docker, podman or buildah, and start what it needs.')
  const args = await labels()
  const reports: ImageReport[] = []
  for (const part of parts) {
    const image = `${prefix}berth-${part}:${tag ?? args.VERSION}`
    const started = performance.now()
    await buildImage(engine, {
      dockerfile: join(root, 'deploy/docker', `${part}.Dockerfile`),
      context: root,
      tag: image,
      args,
      noCache,
      options: engineOptions(),
    })
    const seconds = (performance.now() - started) / 1000
    reports.push({ image, engine, seconds, compressedBytes: await compressedSize(engine, image) })
  }
  return reports
}
