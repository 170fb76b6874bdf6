// Makes docs/images/session.svg from terminal output on standard input. `tools/picture/record.sh` records a real session
// and hands it over.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { drawTerminal } from './draw-terminal.ts'

const target = join(import.meta.dirname, '..', '..', 'docs', 'images', 'session.svg')
const svg = drawTerminal(await text(process.stdin), { columns: 88, title: 'berth' })
writeFileSync(target, svg)
process.stdout.write(`${target}: ${(svg.length / 1024).toFixed(1)} KB\n`)
