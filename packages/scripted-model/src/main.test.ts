import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

test('the command serves, logs and ends', async () => {
  const child = spawn(process.execPath, [main, '--port', '0'])
  const [url] = await once(createInterface(child.stdout), 'line')
  const logged = once(createInterface(child.stderr), 'line')
  const response = await fetch(`${url}/v1/models`)
  expect(response.status).toBe(200)
  expect(JSON.parse(String((await logged)[0]))).toMatchObject({ path: '/v1/models', outcome: 'answered' })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test.each([
  [['--port', 'x'], 'is not a port'],
  [['--scenarios', '/nowhere/at/all'], "can't be read"],
  [['--nonsense'], 'nonsense'],
])('%j is refused with a reason', async (options, words) => {
  const child = spawn(process.execPath, [main, ...options])
  const said = text(child.stderr)
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(await said).toContain(words)
})
