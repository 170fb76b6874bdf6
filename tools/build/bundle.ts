import { existsSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { type OutputChunk, rolldown } from 'rolldown'
import { root } from '../house/tracked-files.ts'
import { rightPlaces } from './places.ts'
import type { Bundle } from './programs.ts'

/** Packages that stay packages: they are installed beside the bundles that use them. */
const outside = ['@anthropic-ai/claude-agent-sdk']

/** Writes the programs of a bundle to a directory; gives the directories of the packages whose code is in them. */
export const writeBundle = async ({ entries, copies = [] }: Bundle, directory: string): Promise<string[]> => {
  const input = Object.fromEntries(
    Object.entries(entries).map(([name, file]) => [name, sourceOf(name, file)]),
  )
  const built = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: outside,
    plugins: [rightPlaces()],
    onLog(level, log) {
      if (level === 'warn') throw new Error(`${directory}: ${log.message}`)
    },
  })
  const { output } = await built.write({
    dir: directory,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // For packages in CommonJS that look for files beside them.
    intro: 'const __dirname = import.meta.dirname;',
  })
  await built.close()
  const chunks = output.filter((part): part is OutputChunk => part.type === 'chunk')
  refuseStrangers(chunks, directory)
  // Node has to know what kind of modules these are, wherever the directory is shown.
  await writeFile(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  for (const { from, to } of copies) await cp(join(root, from), join(directory, to), { recursive: true })
  return [...new Set(chunks.flatMap(({ moduleIds }) => moduleIds.flatMap(packageDirectory)))].sort()
}

const sourceOf = (name: string, file: string): string => {
  const path = join(root, file)
  if (!existsSync(path))
    throw new Error(
      `The program ${name} begins in ${file}, which is not there. Repair tools/build/programs.ts.`,
    )
  return path
}

/** What a bundle imports is in it, comes with Node, or is meant to stay outside. */
const refuseStrangers = (chunks: readonly OutputChunk[], directory: string): void => {
  const inside = new Set(chunks.map(({ fileName }) => fileName))
  for (const { fileName, imports, dynamicImports } of chunks)
    for (const name of [...imports, ...dynamicImports])
      if (!inside.has(name) && !isBuiltin(name) && !outside.includes(name))
        throw new Error(`${directory}/${fileName} imports ${name}, which an image would not have.`)
}

/** `…/node_modules/name` of a module that comes from a package. */
const packageDirectory = (module: string): string[] => {
  const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1]
  return found === undefined ? [] : [found]
}
