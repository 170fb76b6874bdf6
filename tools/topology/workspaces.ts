import { dirname } from 'node:path'
import { read, trackedFiles } from '../house/tracked-files.ts'

export interface Workspace {
  name: string
  /** From the root: `packages/contract`. */
  directory: string
  isApp: boolean
  /** What code may import: dependencies and peers. */
  dependencies: ReadonlySet<string>
  /** What only tests may import. */
  devDependencies: ReadonlySet<string>
}

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

export function readWorkspaces(): Workspace[] {
  return trackedFiles('package.json')
    .filter((file) => /^(apps|packages)\/[^/]+\/package\.json$/.test(file))
    .map((file) => {
      const manifest: Manifest = JSON.parse(read(file))
      return {
        name: manifest.name,
        directory: dirname(file),
        isApp: file.startsWith('apps/'),
        dependencies: new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })),
        devDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
      }
    })
}

/** The development tools of the root, which every workspace's tests may use. */
export function rootTools(): ReadonlySet<string> {
  const manifest: Manifest = JSON.parse(read('package.json'))
  return new Set(Object.keys(manifest.devDependencies ?? {}))
}

/** `@berth/runtime` of `@berth/runtime/conformance`; `undefined` for relative paths and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
