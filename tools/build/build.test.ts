import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { read, root, trackedFiles } from '../house/tracked-files.ts'
import { readWorkspaces } from '../topology/workspaces.ts'
import { type Built, build } from './build.ts'
import { contents } from './programs.ts'
import { imageSbom, repositorySbom, type Sbom } from './sbom.ts'

let directory: string
let built: Built[]
let sbom: Sbom

beforeAll(async () => {
  // Beside what is installed, where Claude Code can be linked.
  directory = await mkdtemp(join(root, 'node_modules/.build-test-'))
  const results = await Promise.all([build(directory), repositorySbom()])
  built = results[0]
  sbom = results[1]
}, 60_000)

afterAll(() => rm(directory, { recursive: true, force: true }))

const files = async (part: string) =>
  (await readdir(join(directory, part), { recursive: true })).map((file) => join(directory, part, file))

describe('npm run build', () => {
  it('makes every program, each beside a manifest that says what kind of modules it is', () => {
    for (const { bundles } of contents)
      for (const bundle of bundles) {
        for (const name of Object.keys(bundle.entries))
          expect(existsSync(join(directory, bundle.directory, `${name}.js`)), name).toBe(true)
        const manifest = readFileSync(join(directory, bundle.directory, 'package.json'), 'utf8')
        expect(JSON.parse(manifest)).toMatchObject({ type: 'module' })
      }
    expect(existsSync(join(directory, 'runner/claude/claude'))).toBe(true)
  })

  it('ships no source, source map or test, and nothing that names the machine it was built on', async () => {
    const shipped = [...(await files('backend')), ...(await files('runner'))]
    const sample = join(directory, 'backend/sample-repo')
    const wrong = shipped.filter((file) => /\.(ts|map)$|\.test\./.test(file) && !file.startsWith(sample))
    expect(wrong).toEqual([])
    const code = shipped.filter((file) => file.endsWith('.js') && !file.includes('/swagger-ui/'))
    expect(code.filter((file) => readFileSync(file, 'utf8').includes(`${root}/`))).toEqual([])
  })

  it('ships the licence of every package', () => {
    for (const part of built) {
      const text = readFileSync(join(part.directory, 'THIRD_PARTY.txt'), 'utf8')
      expect(part.packages.length).toBeGreaterThan(5)
      for (const place of part.packages) {
        const { name, version } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
        expect(text).toContain(`${name} ${version}`)
      }
    }
  })

  it('lists every package, Node and what is of Debian, and nothing else', () => {
    for (const part of built) {
      const { components, metadata } = imageSbom(sbom, part, 'git\t1:2.39.5-0+deb12u2\tamd64\n')
      expect(metadata.component.name).toBe(`berth-${part.image}`)
      const purls = components.map(({ purl }) => purl)
      expect(purls).toContain('pkg:deb/debian/git@1%3A2.39.5-0%2Bdeb12u2?arch=amd64')
      expect(purls).toContain(`pkg:generic/node@${process.version.slice(1)}`)
      expect(components).toHaveLength(part.packages.length + 2)
      expect(components.filter(({ name }) => name === 'vitest')).toEqual([])
    }
    const [backend, runner] = built.map((part) =>
      imageSbom(sbom, part).components.map((one) => one['bom-ref']),
    )
    expect(backend?.some((ref) => ref.startsWith('fastify@'))).toBe(true)
    expect(runner?.some((ref) => ref.startsWith('@anthropic-ai/claude-agent-sdk@'))).toBe(true)
  })
})

describe('the Dockerfiles', () => {
  const dockerfiles = trackedFiles().filter(
    (file) => file.endsWith('.Dockerfile') && file.startsWith('deploy/'),
  )
  const shared = (file: string) => /# ── build ──[\s\S]*# ── end of build ──/.exec(read(file))?.[0]

  it('build everything once: their first stages are the same', () => {
    const [first, ...rest] = dockerfiles.map(shared)
    expect(first).toBeDefined()
    expect(rest).toEqual([first])
  })

  it.each(dockerfiles)('%s copies the manifest of every workspace before it installs', (file) => {
    const missing = readWorkspaces().filter(
      ({ directory }) => !read(file).includes(`COPY ${directory}/package.json ${directory}/\n`),
    )
    expect(missing.map(({ directory }) => directory)).toEqual([])
  })

  it('copy everything that is built', () => {
    for (const { image, bundles } of contents) {
      const text = read(`deploy/docker/${image}.Dockerfile`)
      for (const bundle of bundles)
        expect(text).toContain(`COPY --from=build /src/dist/${bundle.directory}/ `)
    }
  })
})
