import type { EventData } from '@berth/contract'
import { Counter, type Registry } from 'prom-client'

/** Tokens and dollars by what answered: few labels, because a model's name is what the agent says. */
export const usageCounters = (register: Registry) => {
  const requests = new Counter({
    name: 'berth_model_requests_total',
    help: 'Metered requests to models',
    labelNames: ['source'] as const,
    registers: [register],
  })
  const tokens = new Counter({
    name: 'berth_model_tokens_total',
    help: 'Tokens of metered requests, by kind',
    labelNames: ['source', 'kind'] as const,
    registers: [register],
  })
  const dollars = new Counter({
    name: 'berth_model_cost_usd_total',
    help: 'US dollars of metered requests whose model has a price',
    labelNames: ['source'] as const,
    registers: [register],
  })
  const unpriced = new Counter({
    name: 'berth_model_unpriced_requests_total',
    help: 'Metered requests whose model has no price',
    labelNames: ['source'] as const,
    registers: [register],
  })
  return (source: 'live' | 'scripted', used: EventData<'model.usage'>): void => {
    requests.inc({ source })
    tokens.inc({ source, kind: 'input' }, used.inputTokens)
    tokens.inc({ source, kind: 'output' }, used.outputTokens)
    tokens.inc({ source, kind: 'cache_read' }, used.cacheReadTokens)
    tokens.inc({ source, kind: 'cache_write' }, used.cacheWriteTokens)
    if (used.costUsd === null) unpriced.inc({ source })
    else dollars.inc({ source }, used.costUsd)
  }
}
