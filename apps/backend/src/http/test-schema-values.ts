import fc from 'fast-check'
import { z } from 'zod'

interface Schema {
  type?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  propertyNames?: Schema
  items?: Schema
  minItems?: number
  maxItems?: number
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

const hostileTexts = [
  '',
  '-x',
  '../../etc/passwd',
  '%00',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  "'; DROP TABLE sessions; --",
  'ext::sh -c id',
  'x'.repeat(5000),
  '\u202e🎉',
]

const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 2 ** 53, [], {}, ...hostileTexts),
  fc.jsonValue({ maxDepth: 2 }),
)

const textOf = ({ pattern, minLength = 0, maxLength = 50 }: Schema): fc.Arbitrary<string> =>
  pattern === undefined
    ? fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 50), unit: 'binary' })
    : fc.stringMatching(new RegExp(pattern))

const objectOf = (schema: Schema): fc.Arbitrary<unknown> => {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema
  const known = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, valueFor(value)]))
  const fixed = fc.record(known, { requiredKeys: required.filter((name) => name in known) })
  if (typeof additionalProperties !== 'object') return fixed
  const names = propertyNames === undefined ? fc.string({ maxLength: 10 }) : textOf(propertyNames)
  const more = fc.dictionary(names, valueFor(additionalProperties), { maxKeys: 3 })
  return fc.tuple(more, fixed).map(([a, b]) => ({ ...a, ...b }))
}

/** Values that fit a JSON schema, as far as the schema tells. */
const valueFor = (schema: Schema): fc.Arbitrary<unknown> => {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices !== undefined) return fc.oneof(...choices.map(valueFor))
  switch (schema.type) {
    case 'object':
      return objectOf(schema)
    case 'array':
      return fc.array(valueFor(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 3, 3)),
      })
    case 'string':
      return textOf(schema)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1000, 1_000_000) })
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1000, noNaN: true })
    case 'boolean':
      return fc.boolean()
    default:
      return anything
  }
}

/** The same value with something in it replaced, removed or added. */
const mutated = (value: unknown): fc.Arbitrary<unknown> => {
  if (typeof value !== 'object' || value === null) return anything
  const keys = Object.keys(value)
  const inside = keys.map((key) =>
    mutated((value as Record<string, unknown>)[key]).map((other) =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other },
    ),
  )
  const without = keys.map((key) =>
    fc.constant(Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))),
  )
  return fc.oneof(anything, ...inside, ...without, fc.constant({ ...value, unexpected: 1 }))
}

/** Values that fit a schema, and in equal parts some that do not quite. */
export const nearly = (schema: z.ZodType): fc.Arbitrary<unknown> => {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema
  const fitting = valueFor(json)
  return fc.oneof(fitting, fitting.chain(mutated))
}
