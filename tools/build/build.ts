import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeBundle } from './bundle.ts'
import { addClaudeCode } from './claude-code.ts'
import { thirdPartyText } from './licences.ts'
import { type Contents, contents } from './programs.ts'

/** What was built for an image. */
export interface Built {
  image: Contents['image']
  directory: string
  /** Directories of the packages that are in it. */
  packages: readonly string[]
}

/** Builds what images run, each image's part in its own directory below `target`, which is emptied before. */
export const build = async (target: string): Promise<Built[]> => {
  await rm(target, { recursive: true, force: true })
  return Promise.all(contents.map((part) => buildPart(target, part)))
}

const buildPart = async (target: string, { image, bundles }: Contents): Promise<Built> => {
  const directory = join(target, image)
  await mkdir(directory, { recursive: true })
  const found = await Promise.all(
    bundles.map((bundle) => writeBundle(bundle, join(target, bundle.directory))),
  )
  if (image === 'runner') found.push(await addClaudeCode(directory))
  const packages = [...new Set(found.flat())].sort()
  await writeFile(join(directory, 'THIRD_PARTY.txt'), thirdPartyText(packages))
  return { image, directory, packages }
}
