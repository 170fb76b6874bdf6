import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { type Figure, type Row, reached } from './figure.ts'
import { access } from './figures/access.ts'
import { admission } from './figures/admission.ts'
import { burst } from './figures/burst.ts'
import { checkpoint } from './figures/checkpoint.ts'
import { clusterBurst } from './figures/cluster-burst.ts'
import { clusterStart } from './figures/cluster-start.ts'
import { connections } from './figures/connections.ts'
import { crowd } from './figures/crowd.ts'
import { fanOut } from './figures/fan-out.ts'
import { gateway } from './figures/gateway.ts'
import { gatewayStreams } from './figures/gateway-streams.ts'
import { gitProxy } from './figures/git-proxy.ts'
import { hibernate } from './figures/hibernate.ts'
import { images } from './figures/images.ts'
import { memory } from './figures/memory.ts'
import { openLoop } from './figures/open-loop.ts'
import { replay } from './figures/replay.ts'
import { saturated } from './figures/saturated.ts'
import { sessionStart } from './figures/session-start.ts'
import { severalBackends } from './figures/several-backends.ts'
import { startUp } from './figures/start-up.ts'
import { storeAppend } from './figures/store-append.ts'

const figures: Figure[] = [
  openLoop,
  saturated,
  connections,
  burst,
  checkpoint,
  access,
  admission,
  fanOut,
  storeAppend,
  severalBackends,
  replay,
  startUp,
  sessionStart,
  hibernate,
  gateway,
  gatewayStreams,
  gitProxy,
  memory,
  crowd,
  images,
]

/** They need a cluster: that of KUBECONFIG. */
const clusterFigures: Figure[] = [clusterBurst, clusterStart]

const format = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3).replace(/\.?0+$/, '')

const goalText = ({ goal }: Row): string => {
  if (goal === undefined) return 'baseline'
  return 'atMost' in goal ? `≤ ${format(goal.atMost)}` : `≥ ${format(goal.atLeast)}`
}

const print = (figure: Figure, rows: Row[]) => {
  process.stdout.write(`\n${figure.name}: ${figure.about}\n`)
  for (const row of rows) {
    const mark = { true: '✓', false: '✗', undefined: ' ' }[String(reached(row))] ?? ' '
    const value = `${format(row.value)} ${row.unit}`.padStart(14)
    process.stdout.write(
      `  ${mark} ${row.what.padEnd(58)}${value}   ${goalText(row).padEnd(12)} ${row.note ?? ''}\n`,
    )
  }
}

const wanted = process.argv.slice(2)
const usual = process.env.KUBECONFIG === undefined ? figures : [...figures, ...clusterFigures]
const chosen =
  wanted.length === 0 ? usual : [...figures, ...clusterFigures].filter(({ name }) => wanted.includes(name))
if (chosen.length === 0) {
  process.stderr.write(
    `There is no such figure. Known: ${[...figures, ...clusterFigures].map(({ name }) => name).join(', ')}\n`,
  )
  process.exit(2)
}

const results: Record<string, Row[]> = {}
for (const figure of chosen) {
  const rows = await figure.run()
  results[figure.name] = rows
  print(figure, rows)
}
await mkdir(new URL('results/', import.meta.url), { recursive: true })
const report = { at: new Date().toISOString(), node: process.version, cpus: cpus().length, results }
const file = new URL(`results/${report.at.replace(/[:.]/g, '-')}.json`, import.meta.url)
await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`)
const missed = Object.values(results)
  .flat()
  .filter((row) => reached(row) === false)
process.stdout.write(
  `\n${missed.length === 0 ? 'Every goal is reached.' : `${missed.length} goals are missed.`}\n`,
)
