import { constants } from 'node:os'
import type { SandboxUsage } from '../sandbox.ts'
import type { Life, Told } from './protocol.ts'

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

function usageIn(value: unknown): SandboxUsage | undefined {
  const { memoryBytes, cpuMs, processes, oomKills } = (value ?? {}) as Record<string, unknown>
  if (!isNumber(memoryBytes) || !isNumber(cpuMs) || !isNumber(processes) || !isNumber(oomKills))
    return undefined
  return { memoryBytes, cpuMs, processes, oomKills }
}

const befores: readonly unknown[] = ['none', 'ended', 'killed'] satisfies Life['before'][]

/**
 * A line that a launcher wrote; undefined when it is none. It lives beside the agent, which may have put itself in its
 * place: so everything is looked at.
 */
export function parseTold(line: string): Told | undefined {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) ?? {}
  } catch {
    return undefined
  }
  const { tell, life, before, message, code, signal } = fields
  if (tell === 'started') return { tell }
  if (tell === 'life' && typeof life === 'string' && befores.includes(before))
    return { tell, life, before: before as Life['before'] }
  if (tell === 'failed' && typeof message === 'string') return { tell, message: message.slice(0, 2000) }
  const usage = usageIn(fields.usage)
  if (tell === 'usage' && usage !== undefined) return { tell, usage }
  if (tell !== 'exit') return undefined
  const ended = { code: isNumber(code) ? code : null, signal: signalIn(signal) }
  return { tell, ...ended, ...(usage === undefined ? {} : { usage }) }
}

function signalIn(value: unknown): NodeJS.Signals | null {
  return typeof value === 'string' && Object.hasOwn(constants.signals, value)
    ? (value as NodeJS.Signals)
    : null
}
