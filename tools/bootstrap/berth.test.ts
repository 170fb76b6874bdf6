import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from '../house/tracked-files.ts'
import { runCommand } from './run-command.mjs'

const checkout = mkdtempSync(join(tmpdir(), 'berth-launcher-'))
const launcher = join(checkout, 'apps/cli/bin/berth.mjs')
mkdirSync(join(checkout, 'apps/cli/src'), { recursive: true })
mkdirSync(join(checkout, 'node_modules/node/bin'), { recursive: true })
cpSync(join(root, 'apps/cli/bin'), join(checkout, 'apps/cli/bin'), { recursive: true })
symlinkSync(process.execPath, join(checkout, 'node_modules/node/bin/node'))
writeFileSync(
  join(checkout, 'apps/cli/src/main.ts'),
  `const args: string[] = process.argv.slice(2)
console.log(JSON.stringify({ args, pid: process.pid }))
if (args.includes('signal')) process.kill(process.pid, 'SIGTERM')
process.exitCode = Number(args.at(-1))
`,
)
afterAll(() => rmSync(checkout, { recursive: true }))

/** What another Node would say of itself. */
const pretend = (version: string) => [
  '--import',
  `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '${version}' })`,
]

describe('[P3] the berth launcher', () => {
  test('passes arguments and the exit code on', async () => {
    const { code, output } = await runCommand([process.execPath, launcher, 'ls', '--json', '5'])
    expect(JSON.parse(output).args).toEqual(['ls', '--json', '5'])
    expect(code).toBe(5)
  })

  test.each(['20.11.0', '26.1.0'])(
    'hands over to the pinned Node when Node %s starts it',
    async (version) => {
      const { code, output } = await runCommand([process.execPath, ...pretend(version), launcher, 'a', '7'])
      expect(JSON.parse(output).args).toEqual(['a', '7'])
      expect(code).toBe(7)
    },
  )

  test('tells like a shell that a signal ended it', async () => {
    const { code } = await runCommand([process.execPath, ...pretend('20.11.0'), launcher, 'signal', '0'])
    expect(code).toBe(143)
  })

  test('says what to do when there is no Node 24', async () => {
    const alone = join(checkout, 'alone/apps/cli/bin')
    cpSync(join(checkout, 'apps/cli/bin'), alone, { recursive: true })
    const command = [process.execPath, ...pretend('20.11.0'), join(alone, 'berth.mjs'), 'ls', '0']
    const { code, output } = await runCommand(command)
    expect(output).toContain('berth needs Node 24, and this is Node 20.11.0.')
    expect(output).toContain('npm start')
    expect(code).toBe(1)
  })
})
