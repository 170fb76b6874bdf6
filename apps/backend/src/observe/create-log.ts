import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import type { KnownValues } from '../secrets/known-values.ts'

export interface LogOptions {
  level: string
  /** What no line shows. */
  known: KnownValues
}

/** Names and numbers that Berth sets itself. A project that makes one of them its secret can't hide in the operators' log. */
const ownFields = new Set(['project', 'session', 'route', 'method', 'reqId', 'requestId', 'scope', 'lease'])
/** Below, a line says nothing. */
const deepest = 6

/** The backend's log: JSON lines, in which neither secrets nor tokens stand, whatever an error or a server says. */
export const createLog = ({ level, known }: LogOptions, destination?: DestinationStream): Logger =>
  pino(
    {
      level,
      base: undefined,
      redact: ['*.authorization', '*.token', '*.apiKey'],
      // What is said of an error was looked through already.
      serializers: { err: (error) => error },
      formatters: { log: (line) => hideFields(line, known) },
      hooks: {
        logMethod(given, log) {
          const [first] = given as unknown[]
          const args = first instanceof Error && given.length === 1 ? [{ err: first }, first.message] : given
          const shown = args.map((part) => (typeof part === 'string' ? known.hide(part) : part))
          return log.apply(this, shown as Parameters<typeof log>)
        },
      },
    },
    destination ?? pino.destination(1),
  )

const hideFields = (line: object, known: KnownValues): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(line).map(([name, value]) => [name, ownFields.has(name) ? value : hide(value, known)]),
  )

const hide = (value: unknown, known: KnownValues, depth = 0): unknown => {
  if (typeof value === 'string') return known.hide(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '[too deep]'
  if (value instanceof Error) return hide(stdSerializers.err(value), known, depth)
  if (Array.isArray(value)) return value.map((item) => hide(item, known, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return hide(value.toJSON(), known, depth + 1)
  const entries = Object.entries(value).map(([name, inner]) => [
    known.hide(name),
    hide(inner, known, depth + 1),
  ])
  return Object.fromEntries(entries)
}
