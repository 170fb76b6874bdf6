import { type LaunchRequest, type Opening, type Order, streamNames } from './protocol.ts'

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isCountOrMissing = (value: unknown): boolean => value === undefined || isCount(value)

function parse(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) ? value : {}
  } catch {
    return {}
  }
}

const isId = (value: unknown): value is string => isText(value) && /^[0-9a-f-]{16,64}$/.test(value)

function isRequest(value: unknown): value is LaunchRequest {
  if (!isFields(value)) return false
  const { id, command, args, cwd, env, limits } = value
  return (
    isId(id) &&
    isText(command) &&
    command !== '' &&
    Array.isArray(args) &&
    args.every(isText) &&
    isText(cwd) &&
    cwd.startsWith('/') &&
    isFields(env) &&
    Object.entries(env).flat().every(isText) &&
    isFields(limits) &&
    [limits.processes, limits.fileBytes, limits.openFiles].every(isCount) &&
    [limits.cpuSeconds, limits.dataBytes].every(isCountOrMissing)
  )
}

/** The first line of a connection; undefined when it is none of ours. Whoever can reach the socket may write anything. */
export function parseOpening(line: string): Opening | undefined {
  const fields = parse(line)
  if (fields.open === 'lease' || fields.open === 'hello') return { open: fields.open }
  if (fields.open === 'command' && isRequest(fields.request))
    return { open: 'command', request: fields.request }
  const stream = streamNames.find((name) => name === fields.stream)
  if (fields.open === 'stream' && stream !== undefined && isId(fields.of))
    return { open: 'stream', stream, of: fields.of }
  return undefined
}

/** An order to a command that runs; undefined when it is none. */
export function parseOrder(line: string): Order | undefined {
  const fields = parse(line)
  if (fields.end === true) return { end: true }
  const { signal } = fields
  return isText(signal) && /^SIG[A-Z0-9]{2,10}$/.test(signal) ? { signal } : undefined
}
