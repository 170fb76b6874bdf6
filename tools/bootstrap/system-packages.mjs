import { findProgram } from './find-program.mjs'
import { installCommands, installLine, packageManagers } from './package-managers.mjs'
import { runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { step, warn } from './step.mjs'

/** What a sandboxed session needs on Linux besides Node. */
const PROGRAMS = ['bwrap', 'rg', 'git', 'prlimit']

/** Makes sure that agents can be sandboxed on this machine, or that the operator has said that they need not be. */
export async function ensureSystemPackages() {
  if (process.env.BERTH_SANDBOX === 'off') {
    warn('BERTH_SANDBOX=off: agents run without a sandbox, with all the rights of your user.')
    return
  }
  if (process.platform !== 'linux') {
    throw new SetupError(
      'Sandboxed sessions need Linux (bubblewrap); on this system Berth only runs unsandboxed.',
      'To accept that, run it again as: BERTH_SANDBOX=off npm start',
    )
  }
  const missing = missingPrograms()
  if (missing.length === 0) return
  await install(missing)
}

/** @param {string[]} missing */
async function install(missing) {
  const manager = packageManagers.find((one) => findProgram(one.program))
  const isRoot = process.getuid?.() === 0
  const line = installLine(manager, isRoot)
  const needed = `The sandbox needs ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not installed.`
  if (!manager || !(isRoot || (await hasPasswordlessSudo()))) throw new SetupError(needed, line)

  await step(`install the sandbox's system packages (${manager.program})`, async () => {
    for (const command of installCommands(manager, isRoot ? [] : ['sudo', '-n'])) {
      await runInstaller(command, line)
    }
  })
  const still = missingPrograms()
  if (still.length > 0)
    throw new SetupError(`${manager.program} is done, but there is no ${still.join(', ')}.`, line)
}

/**
 * @param {string[]} command
 * @param {string} line
 */
async function runInstaller(command, line) {
  const { code, output } = await runCommand(command, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (code === 0) return
  throw new SetupError(`\`${command.join(' ')}\` failed (exit code ${code}):\n${output.trim()}`, line)
}

async function hasPasswordlessSudo() {
  return (await runCommand(['sudo', '-n', 'true'])).code === 0
}

function missingPrograms() {
  return PROGRAMS.filter((program) => !findProgram(program))
}
