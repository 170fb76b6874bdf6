import { Command } from 'commander'
import { addAccess, addRevoke } from './commands/access.ts'
import { addArtifacts } from './commands/artifacts.ts'
import { addAttach } from './commands/attach.ts'
import { addAudit } from './commands/audit.ts'
import { addBudget } from './commands/budget.ts'
import { addBundle } from './commands/bundle.ts'
import { addCheckpoints } from './commands/checkpoints.ts'
import { addCompletion } from './commands/completion.ts'
import { addDiff } from './commands/diff.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEgress } from './commands/egress.ts'
import { addExport } from './commands/export.ts'
import { addFiles } from './commands/files.ts'
import { addFork } from './commands/fork.ts'
import { addKey } from './commands/key.ts'
import { addLifecycle } from './commands/lifecycle.ts'
import { addLogin } from './commands/login.ts'
import { addLogout } from './commands/logout.ts'
import { addLogs } from './commands/logs.ts'
import { addLs } from './commands/ls.ts'
import { addMcp } from './commands/mcp.ts'
import { addMember } from './commands/member.ts'
import { addModelKey } from './commands/model-key.ts'
import { addOpen } from './commands/open.ts'
import { addProject } from './commands/project.ts'
import { addPrompt } from './commands/prompt.ts'
import { addPush } from './commands/push.ts'
import { addQueue } from './commands/queue.ts'
import { addBranches, addRepo } from './commands/repo.ts'
import { addRestore } from './commands/restore.ts'
import { addRm } from './commands/rm.ts'
import { addRun } from './commands/run.ts'
import { addSecret } from './commands/secret.ts'
import { addServe } from './commands/serve.ts'
import { addSettings } from './commands/settings.ts'
import { addShare } from './commands/share.ts'
import { addShow } from './commands/show.ts'
import { addUsage } from './commands/usage.ts'
import { addWhoami } from './commands/whoami.ts'
import type { Context } from './context.ts'
import { exitCodeHelp } from './exit-code.ts'
import { wrap } from './render/wrap.ts'

/** What the environment says to every command. */
export const environmentHelp = [
  ['BERTH_URL', 'where Berth is (default: http://127.0.0.1:7420)'],
  ['BERTH_TOKEN', 'the token (default: that of berth login, or owner-token in the data directory)'],
  ['BERTH_DATA_DIR', 'the data directory (default: berth in the user’s data home)'],
  ['BERTH_PROJECT', 'the project (default: default)'],
  ['NO_COLOR, FORCE_COLOR', 'colours never, colours always'],
] as const

/** Every command, in the groups of the help. */
const groups = {
  'Work with sessions:': [
    addRun,
    addLs,
    addShow,
    addAttach,
    addPrompt,
    addLifecycle,
    addRm,
    addCheckpoints,
    addFork,
    addShare,
    addRestore,
  ],
  'What sessions made:': [addDiff, addFiles, addArtifacts, addExport, addPush, addBundle],
  'Repositories and settings:': [addRepo, addBranches, addSettings, addSecret, addMcp, addEgress],
  'Look into it:': [addDoctor, addQueue, addUsage, addBudget, addLogs],
  'Who you are, and who may do what:': [
    addAccess,
    addMember,
    addKey,
    addRevoke,
    addAudit,
    addLogin,
    addLogout,
    addWhoami,
  ],
  'Berth itself:': [addServe, addOpen, addProject, addModelKey, addCompletion],
} as const

/** Every command of `berth`. */
export const buildProgram = (context: Context): Command => {
  const program = new Command('berth')
    .description('Claude Code for whole teams: many sandboxed sessions at once.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.err.write(text),
      getOutHelpWidth: () => Math.min(100, context.out.columns()),
      getErrHelpWidth: () => Math.min(100, context.err.columns()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(`(${context.berth} help says more)`)
  for (const [title, adders] of Object.entries(groups)) {
    program.commandsGroup(title)
    for (const add of adders) add(program, context)
  }
  program.addHelpCommand(new Command('help').argument('[command]').description('say how a command is used'))
  const width = Math.min(100, context.out.columns())
  const environment = environmentHelp.map(([name, meaning]) =>
    wrap(`  ${name.padEnd(22)} ${meaning}`, width, 25),
  )
  return program.addHelpText(
    'after',
    `\nEnvironment:\n${environment.join('\n')}\n\n${wrap(exitCodeHelp(), width, 5)}`,
  )
}
