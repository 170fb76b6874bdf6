import type { System } from '@berth/contract'
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
}

/** What `berth serve` says once the backend is ready. */
export const renderBanner = (facts: BannerFacts, style: Style): string => {
  const { url, system, loginLink, sandbox, dataDir } = facts
  const rows = [
    ['address', url],
    ['sign in', `${loginLink} ${style.dim('(works once; another: berth open)')}`],
    ['model', modelText(system, style)],
    ['sandbox', sandboxText(sandbox, facts.sandboxOff, style)],
    ['data', dataDir],
    ['stop', 'Ctrl-C'],
  ]
  const lines = rows.map(([name = '', value = '']) => `  ${style.dim(padEnd(name, 8))} ${value}`)
  return [style.bold(`Berth ${safeLine(system.version)} is ready`), ...lines].join('\n')
}

const modelText = ({ model }: System, style: Style): string =>
  model.source === 'scripted'
    ? `${style.yellow('scripted model')}: written scenarios, no real one answers. Use a real one: berth model-key set`
    : `live${model.upstream === undefined ? '' : `, ${safeLine(model.upstream)}`}`

const sandboxText = (check: SandboxCheck, off: boolean, style: Style): string => {
  if (off) return style.yellow('OFF (BERTH_SANDBOX=off): agents run unsandboxed, with your rights')
  if (check.ok) return safeLine(check.text)
  const repair = check.repair === undefined ? 'berth doctor says more.' : `Repair: ${safeLine(check.repair)}`
  return style.red(`does not work, so sessions refuse to start: ${safeLine(check.text)}. ${repair}`)
}
