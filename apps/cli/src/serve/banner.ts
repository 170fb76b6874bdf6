import type { System } from '@berth/contract'
import { wrap } from '../render/wrap.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import type { SandboxCheck } from './check-sandbox.ts'

export interface BannerFacts {
  url: string
  system: System
  loginLink: string
  sandbox: SandboxCheck
  sandboxOff: boolean
  dataDir: string
  columns: number
  /** How the command is called. */
  berth: string
}

/** What `berth serve` says once the backend is ready. */
export const renderBanner = (facts: BannerFacts, style: Style): string => {
  const { url, system, loginLink, sandbox, dataDir, columns, berth } = facts
  const rows = [
    ['address', url],
    ['sign in', loginLink],
    ['', style.dim(`works once, for five minutes; another: ${berth} open`)],
    ['model', modelText(system, facts, style)],
    ['sandbox', sandboxText(sandbox, facts, style)],
    ['data', dataDir],
    ['stop', 'Ctrl-C; running sessions go on, and the next start finds them'],
  ]
  const lines = rows.map(([name = '', value = '']) =>
    wrap(`  ${style.dim(padEnd(name, 8))} ${value}`, columns, 11),
  )
  return [style.bold(`Berth ${safeLine(system.version)} is ready`), ...lines].join('\n')
}

const modelText = ({ model }: System, { berth }: BannerFacts, style: Style): string =>
  model.source === 'scripted'
    ? `${style.yellow('scripted model')}: written answers, no real one. Use a real one: ${berth} model-key set`
    : `live${model.upstream === undefined ? '' : `, ${safeLine(model.upstream)}`}`

const sandboxText = (check: SandboxCheck, { sandboxOff, berth }: BannerFacts, style: Style): string => {
  if (sandboxOff) return style.yellow('OFF (BERTH_SANDBOX=off): agents run unsandboxed, with your rights')
  if (check.ok) return safeLine(check.text)
  const repair =
    check.repair === undefined ? `${berth} doctor says more.` : `Repair: ${safeLine(check.repair)}`
  return style.red(`does not work, so sessions refuse to start: ${safeLine(check.text)}. ${repair}`)
}
