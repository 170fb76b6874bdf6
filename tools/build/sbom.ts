import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../house/tracked-files.ts'
import type { Built } from './build.ts'

interface Component {
  'bom-ref': string
  type: string
  name: string
  group?: string
  version: string
  purl: string
  [more: string]: unknown
}

/** CycloneDX, as far as it is read and written here. */
export interface Sbom {
  bomFormat: 'CycloneDX'
  metadata: { component: Component; [more: string]: unknown }
  components: Component[]
  dependencies: { ref: string; dependsOn?: string[] }[]
  [more: string]: unknown
}

/** The list of what all of the repository depends on, made by npm from the lockfile. */
export const repositorySbom = async (): Promise<Sbom> => {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root, maxBuffer: 64 * 1024 ** 2 })
  return JSON.parse(stdout)
}

const refOf = (directory: string): string => {
  const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  return `${name}@${version}`
}

/** Packages of Debian, from lines of name, version and architecture with tabs between. */
const debianComponents = (list: string): Component[] =>
  list.split('\n').flatMap((line) => {
    const [name, version, architecture] = line.split('\t')
    if (!name || !version || !architecture) return []
    const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`
    return [{ 'bom-ref': purl, type: 'library', name, version, purl }]
  })

const nodeComponent = (): Component => {
  const version = process.version.slice(1)
  const purl = `pkg:generic/node@${version}`
  return { 'bom-ref': purl, type: 'platform', name: 'node', version, purl }
}

/**
 * The list of what an image has: the packages whose code is in its bundles, Node, and what it has of Debian. Throws for a
 * package that the lockfile does not know.
 */
export const imageSbom = (all: Sbom, { image, packages }: Built, debian = ''): Sbom => {
  const refs = packages.map(refOf)
  const known = new Map(all.components.map((component) => [component['bom-ref'], component]))
  const bundled = refs.map((ref) => {
    const component = known.get(ref)
    if (component === undefined) throw new Error(`${ref} is bundled, but not in package-lock.json.`)
    return component
  })
  const { component } = all.metadata
  const name = `berth-${image}`
  const own = { ...component, 'bom-ref': name, name, purl: `pkg:generic/${name}@${component.version}` }
  const components = [...bundled, nodeComponent(), ...debianComponents(debian)]
  const here = new Set(components.map((one) => one['bom-ref']))
  return {
    ...all,
    metadata: { ...all.metadata, component: own },
    components,
    dependencies: [
      { ref: name, dependsOn: [...here] },
      ...all.dependencies
        .filter(({ ref }) => here.has(ref))
        .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => here.has(other)) })),
    ],
  }
}
