import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Figure, percentile } from '../figure.ts'

const main = fileURLToPath(new URL('../../apps/backend/src/main.ts', import.meta.url))

const startOnce = async (dataDir: string): Promise<number> => {
  const started = performance.now()
  const NODE_COMPILE_CACHE = join(dataDir, 'cache', 'node')
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE,
    BERTH_DATA_DIR: dataDir,
    BERTH_PORT: '0',
    BERTH_RUNNER_PORT: '0',
  }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const chunk of child.stdout) if (String(chunk).includes('Berth is ready')) break
  const ms = performance.now() - started
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  return ms
}

/** DESIGN: backend start → ready ≤ 500 ms. */
export const startUp: Figure = {
  name: 'start-up',
  about: 'the backend’s process, from its start until it answers, as `berth serve` starts it',
  run: async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'berth-bench-'))
    const times: number[] = []
    for (let i = 0; i < 6; i++) times.push(await startOnce(dataDir))
    await rm(dataDir, { recursive: true, force: true })
    return [
      {
        what: 'start → ready, median of 5',
        value: percentile(times.slice(1), 0.5),
        unit: 'ms',
        goal: { atMost: 500 },
        note: `first ${Math.round(times[0] ?? 0)} ms`,
      },
    ]
  },
}
