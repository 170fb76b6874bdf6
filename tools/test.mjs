// `npm test`: sets up what is missing, then lint, types, dead code and tests; stops at the first that fails.
// Arguments go to Vitest, and then only Vitest runs: `npm test -- packages/contract`.
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { runCommand } from './bootstrap/run-command.mjs'
import { main, root, setUp } from './bootstrap/setup.mjs'
import { SetupError } from './bootstrap/setup-error.mjs'
import { step } from './bootstrap/step.mjs'
import { checks } from './checks.mjs'

const bin = join(root, 'node_modules/.bin')
/** @type {Record<string, string | undefined>} */
const env = {
  // Compiled TypeScript is kept: faster, and V8 crashes now and then while threads strip types by WebAssembly
  // (https://github.com/nodejs/node/issues/64500).
  NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
}

await main(async () => {
  const node = await setUp()
  const args = process.argv.slice(2)
  if (args.length === 0) {
    for (const check of checks) await runCheck(check)
    // Most of what whole-system tests do is to start programs.
    await runCheck({ label: 'bundles', command: [node, 'tools/build/main.ts'] })
    env.BERTH_TEST_PROGRAMS = 'bundles'
  }
  await runVitest(node, args)
})

/** @param {{ label: string, command: string[] }} check */
async function runCheck({ label, command }) {
  await step(label, async () => {
    const { code, output } = await runCommand(command, { cwd: root, env })
    if (code === 0) return
    throw new SetupError(
      `── ${label} failed: ${command.join(' ')} ──\n\n${output.trim()}`,
      'Repair that, then run npm test again. npm run fix repairs formatting.',
    )
  })
}

/**
 * @param {string} node
 * @param {string[]} args
 */
function runVitest(node, args) {
  const child = spawn(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      process.exitCode = code ?? 1
      resolve(undefined)
    })
  })
}
