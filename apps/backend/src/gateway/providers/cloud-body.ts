import type { ModelRequest } from './provider.ts'
import { ModelProblem } from './provider.ts'

/** Fields that only a beta allows: where it isn't passed on, neither is what it allows. */
const gated: Readonly<Record<string, string>> = {
  context_management: 'context-management-2025-06-27',
  output_config: 'effort-2025-11-24',
}

/** The same beta under the name that clouds know. */
const renamed: Readonly<Record<string, string>> = {
  'advanced-tool-use-2025-11-20': 'tool-search-tool-2025-10-19',
}

export interface CloudBody {
  fields: Record<string, unknown>
  /** Those of the agent's that the cloud takes. */
  betas: string[]
}

/**
 * The body of a request to a cloud: without what the cloud names elsewhere, and with those betas alone that it takes: it refuses
 * a request for one that it doesn't know. Throws ModelProblem for a body that is no JSON object.
 */
export const cloudBody = (
  { parsed, headers }: Pick<ModelRequest, 'parsed' | 'headers'>,
  {
    version,
    betas: taken,
    without = [],
  }: { version: string; betas: readonly string[]; without?: readonly string[] },
): CloudBody => {
  if (parsed === undefined)
    throw new ModelProblem({ status: 400, type: 'invalid_request_error' }, 'The body is no JSON object.')
  const asked = (headers['anthropic-beta'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const betas = [...new Set(asked.map((name) => renamed[name] ?? name))].filter((name) =>
    taken.includes(name),
  )
  const dropped = new Set(['model', ...without])
  for (const [field, beta] of Object.entries(gated))
    if (asked.includes(beta) && !betas.includes(beta)) dropped.add(field)
  const kept = Object.entries(parsed).filter(([name]) => !dropped.has(name))
  return { fields: { ...Object.fromEntries(kept), anthropic_version: version }, betas }
}

/** The model that the request names. Throws ModelProblem. */
export const modelOf = ({ model }: Pick<ModelRequest, 'model'>): string => {
  if (model === undefined)
    throw new ModelProblem({ status: 400, type: 'invalid_request_error' }, 'The request names no model.')
  return model
}
