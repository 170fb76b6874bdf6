import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { withoutNodeModules } from './find-program.mjs'
import { runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { step } from './step.mjs'

/**
 * The Node that Berth is developed and tested with, from the npm package `node`. Where that package's install
 * script didn't run (npm settings may forbid all of them), it is run here.
 *
 * @param {string} root the checkout
 * @returns {Promise<string>} path of the executable
 */
export async function ensurePinnedNode(root) {
  const directory = join(root, 'node_modules/node')
  const executable = join(directory, 'bin/node')
  const version = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version
  if (await runsAs(executable, version)) return executable

  const { output } = await step(`install Node ${version}`, () =>
    runCommand([process.execPath, 'installArchSpecificPackage.js'], {
      cwd: directory,
      env: { ...process.env, PATH: withoutNodeModules(process.env.PATH ?? '') },
    }),
  )
  if (await runsAs(executable, version)) return executable
  throw new SetupError(
    `The npm package node@${version} doesn't run on this machine (${process.platform}-${process.arch}):\n${output.trim()}`,
    'Delete node_modules and start again; Linux needs glibc 2.28 or newer.',
  )
}

/**
 * @param {string} executable
 * @param {string} version
 */
async function runsAs(executable, version) {
  if (isThisProcess(executable)) return process.versions.node === version
  const { code, output } = await runCommand([executable, '--version'])
  return code === 0 && output.trim() === `v${version}`
}

/** @param {string} executable */
function isThisProcess(executable) {
  try {
    return realpathSync(executable) === realpathSync(process.execPath)
  } catch {
    return false
  }
}
