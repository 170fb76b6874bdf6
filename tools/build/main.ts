import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../house/tracked-files.ts'
import { build } from './build.ts'
import { imageSbom, repositorySbom } from './sbom.ts'

const started = performance.now()
const { values } = parseArgs({
  options: {
    // A list of Debian's packages in the images, as `dpkg-query` prints it.
    debian: { type: 'string' },
  },
})
const debian = values.debian === undefined ? '' : readFileSync(values.debian, 'utf8')
const [all, built] = await Promise.all([repositorySbom(), build(join(root, 'dist'))])
for (const one of built) {
  await writeFile(
    join(root, 'dist', `${one.image}.cdx.json`),
    JSON.stringify(imageSbom(all, one, debian), null, 1),
  )
  process.stdout.write(`${relative(root, one.directory)}: with code of ${one.packages.length} packages\n`)
}
process.stdout.write(`Built in ${Math.round(performance.now() - started)} ms\n`)
