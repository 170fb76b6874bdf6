import { builtinModules } from 'node:module'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'
import { isTestFile, read, root, sourceFiles } from './house/tracked-files.ts'
import { findViolations, resolve } from './topology/find-violations.ts'
import { type Import, readImports } from './topology/read-imports.ts'
import { mayImport, pure } from './topology/rules.ts'
import { readWorkspaces, rootTools } from './topology/workspaces.ts'

const workspaces = readWorkspaces()
const imports = new Map(sourceFiles().map((file) => [file, readImports(file, read(file))]))

describe('[P1] imports follow the table of DESIGN §3', () => {
  test('every workspace has a row, every row a workspace', () => {
    expect(Object.keys(mayImport).sort()).toEqual(workspaces.map(({ name }) => name).sort())
  })

  test('every import is allowed, and declared in its manifest', () => {
    const around = { workspaces, tools: rootTools() }
    const problems = [...imports].flatMap(([file, found]) =>
      found.flatMap((one) => findViolations(file, one, around)),
    )
    expect([...new Set(problems)]).toEqual([])
  })

  test.each(pure)('$files reaches no I/O', ({ files, packages }) => {
    const start = [...imports.keys()].filter((file) => files.test(file) && !isTestFile(file))
    expect(start).not.toEqual([])
    const outside = [...reach(start)].flatMap((file) =>
      atRunTime(file)
        .filter(({ specifier }) => !specifier.startsWith('.') && !packages.includes(specifier))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    )
    expect(outside).toEqual([])
  })
})

describe('[P2] the contract and the client run in a browser', () => {
  const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))

  test.each(['packages/contract', 'packages/client'])('%s reaches no Node built-in', async (directory) => {
    const reached: string[] = []
    const bundle = await rolldown({
      input: `${root}/${directory}/src/index.ts`,
      platform: 'browser',
      logLevel: 'silent',
      external: (specifier, importer) => {
        const isBuiltin = specifier.startsWith('node:') || builtins.has(specifier)
        if (isBuiltin) reached.push(`${importer ?? 'the entry'} imports ${specifier}`)
        return isBuiltin
      },
    })
    const { output } = await bundle.generate({ format: 'esm' })
    await bundle.close()
    expect(reached).toEqual([])
    expect(output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.imports : []))).toEqual([])
  })
})

function atRunTime(file: string): Import[] {
  return (imports.get(file) ?? []).filter(({ isType }) => !isType)
}

/** The files and every file of the same workspace that they import at run time, directly or not. */
function reach(start: readonly string[]): Set<string> {
  const reached = new Set<string>()
  const open = [...start]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    const from = file
    open.push(
      ...atRunTime(from)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => resolve(from, specifier)),
    )
  }
  return reached
}
