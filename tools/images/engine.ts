import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A program that builds images. */
export type Engine = 'docker' | 'podman' | 'buildah'

const engines: readonly Engine[] = ['docker', 'podman', 'buildah']

/** The first of docker, podman and buildah that is there and works: docker may be there without its daemon. */
export const findEngine = async (): Promise<Engine | undefined> => {
  for (const engine of engines) {
    const works = await run(engine, ['version']).then(
      () => true,
      () => false,
    )
    if (works) return engine
  }
  return undefined
}

/** What to build, and how. */
export interface BuildRequest {
  dockerfile: string
  context: string
  tag: string
  args: Readonly<Record<string, string>>
  /** Everything anew. */
  noCache: boolean
  /** Passed on to the engine. */
  options: readonly string[]
}

/** Builds an image. What the engine prints goes to standard error. */
export const buildImage = async (engine: Engine, request: BuildRequest): Promise<void> => {
  const { dockerfile, context, tag, args, noCache, options } = request
  await stream(engine, [
    'build',
    // HEALTHCHECK is not in OCI's format, and buildah keeps no layers unless told to.
    ...(engine === 'docker' ? [] : ['--format', 'docker']),
    ...(engine === 'buildah' ? ['--layers'] : []),
    ...(noCache ? ['--no-cache'] : []),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...options,
    '--file',
    dockerfile,
    '--tag',
    tag,
    context,
  ])
}

const stream = (program: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 2, 2] })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${code}: it could not build ${args.at(-2)}.`))
    })
  })
