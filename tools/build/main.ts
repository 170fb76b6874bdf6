import { join, relative } from 'node:path'
import { root } from '../house/tracked-files.ts'
import { build } from './build.ts'

const started = performance.now()
for (const { directory, packages } of await build(join(root, 'dist')))
  process.stdout.write(`${relative(root, directory)}: with code of ${packages.length} packages\n`)
process.stdout.write(`Built in ${Math.round(performance.now() - started)} ms\n`)
