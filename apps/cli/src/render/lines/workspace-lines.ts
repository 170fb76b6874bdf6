import { safeLine, safeText } from '../../terminal/safe-text.ts'
import { bytes, diffStatText } from '../amounts.ts'
import { duration } from '../duration.ts'
import { type Lines, untold, who } from './liner.ts'

const failed = (what: string, message: string) => `! ${what}: ${safeText(message)}`

/** The workspace: start, repositories, checkpoints, files. */
export const workspaceLines = {
  'runner.started': untold('the steps of the start tell more'),
  'start.step': untold('the live view tells each step once it ends'),
  'start.failed': untold('the live view tells it, without what was said before'),
  'isolation.tested': ({ data }, { style }) => {
    if (!data.sandboxed) return style.yellow('! unsandboxed: the agent runs with your rights')
    if (data.ok) return undefined
    const broken = data.probes.filter((probe) => !probe.ok).map((probe) => `${probe.name}: ${probe.detail}`)
    return style.red(`✗ the sandbox let something through: ${safeLine(broken.join('; '))}`)
  },
  'workspace.ready': untold('the steps of the start tell more'),
  'workspace.snapshot': ({ data }, { style }) => {
    const changed = data.repositories.filter((item) => item.turn.files > 0)
    return changed.length === 0
      ? undefined
      : changed
          .map((item) => `${style.dim('±')} ${safeLine(item.name)}: ${diffStatText(item.turn, style)}`)
          .join('\n')
  },
  'workspace.restore_requested': (event, { style }) =>
    style.dim(`  Taking the files back to checkpoint ${event.data.checkpoint.number} (${who(event)})`),
  'workspace.restored': ({ data }, { style }) =>
    style.dim(
      `  ✓ The files are as in checkpoint ${data.checkpoint} (${data.files} files, ${duration(data.ms)})`,
    ),
  'workspace.restore_failed': ({ data }, { style }) =>
    style.red(failed(`The files could not be taken back to checkpoint ${data.checkpoint}`, data.message)),
  'repository.added': (event, { style }) =>
    style.dim(`  Repository ${safeLine(event.data.repository.url)} added by ${who(event)}`),
  'repository.removed': (event, { style }) =>
    style.dim(`  Repository ${safeLine(event.data.name)} removed by ${who(event)}`),
  'repository.retried': (event, { style }) =>
    style.dim(`  Cloning ${safeLine(event.data.name)} again (${who(event)})`),
  'repository.state': untold('the repository lines tell it, unless a step of the start did'),
  'repository.pushed': (event, { style }) => {
    const { name, branch, commit, forced } = event.data
    const how = forced ? ', forced' : ''
    return `${style.green('↑')} ${safeLine(name)}: pushed ${safeLine(branch)} ${style.dim(`(${commit.slice(0, 8)}${how}, ${who(event)})`)}`
  },
  'git.pushed': ({ data: { name, branch, commit } }, { style }) =>
    `${style.green('↑')} ${safeLine(name)}: the agent pushed ${safeLine(branch)} ${style.dim(`(${commit.slice(0, 8)})`)}`,
  'git.refused': ({ data }, { style }) =>
    style.yellow(failed(`A push of the agent’s to ${safeLine(data.url)} was refused`, data.message)),
  'checkpoint.saved': ({ data }, { style, verbose }) => {
    if (data.omitted !== undefined)
      return style.yellow(`! Checkpoint ${data.number} is not whole: ${safeText(data.omitted)}`)
    return verbose
      ? style.dim(`  Checkpoint ${data.number} (${data.reason}, ${bytes(data.size)}, ${duration(data.ms)})`)
      : undefined
  },
  'checkpoint.failed': ({ data }, { style }) =>
    style.yellow(failed('The session’s state could not be saved', data.message)),
  'operation.requested': (event, { style, verbose }) =>
    verbose ? style.dim(`  ${who(event)} asks for: ${event.data.request.kind}`) : undefined,
  'operation.completed': untold('who asked has the answer'),
  'operation.failed': ({ data }, { style, verbose }) =>
    verbose ? style.dim(`  Not done (${data.error.code}): ${safeText(data.error.message)}`) : undefined,
  'operation.cancelled': ({ data }, { style, verbose }) =>
    verbose ? style.dim(`  Not done: ${safeText(data.error.message)}`) : undefined,
} satisfies Partial<Lines>
