import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages } from './install-packages.mjs'
import { ensurePinnedNode } from './pinned-node.mjs'
import { runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { ensureSystemPackages } from './system-packages.mjs'
import { isAtLeast } from './version.mjs'

/** The checkout that this file is in. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Brings a fresh clone to the point where Berth runs; does nothing, and prints nothing, when it is there already.
 *
 * @returns {Promise<string>} path of the Node to run Berth with
 */
export async function setUp() {
  checkPlatform()
  await ensureSystemPackages()
  await checkGit()
  await ensurePackages(root)
  return ensurePinnedNode(root)
}

/**
 * Runs the body of a tool; a problem that a person can solve is printed as text, without a stack trace.
 *
 * @param {() => Promise<void>} body
 */
export async function main(body) {
  try {
    await body()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`\n${error.message}\n\n  ${error.advice}\n`)
    process.exitCode = 1
  }
}

function checkPlatform() {
  if (process.platform === 'win32') {
    throw new SetupError('Berth does not run on Windows itself.', 'Use it inside WSL 2: https://aka.ms/wsl')
  }
  if (!isAtLeast(process.versions.node, [20, 0, 0])) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: 20 or newer is needed to set Berth up.`,
      'Install a newer Node from https://nodejs.org, or with your package manager.',
    )
  }
}

async function checkGit() {
  const { code, output } = await runCommand(['git', '--version'])
  if (code === 0 && isAtLeast(output, [2, 30, 0])) return
  throw new SetupError(
    code === 0 ? `${output.trim()} is too old: 2.30 or newer is needed.` : 'git was not found in PATH.',
    'Install git with the package manager of this system.',
  )
}
