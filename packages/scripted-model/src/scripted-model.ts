import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Delays } from './answer-messages.ts'
import { createCounters } from './counters.ts'
import { handleRequest } from './handle-request.ts'
import { limits } from './limits.ts'
import { type Listening, type ListenOptions, listen } from './listen.ts'
import { builtInScenarios, loadScenarios } from './load-scenarios.ts'
import { validateScenario } from './parse-scenario.ts'
import { createRequestRecord, type RecordedRequest } from './request-record.ts'
import type { Scenario, ScenarioInput } from './scenario-schema.ts'

/** Where a scripted model says what it did; pino's loggers fit. */
export interface ScriptedModelLogger {
  info(fields: Record<string, unknown>, message: string): void
}

export interface ScriptedModelOptions {
  /** Scenarios, or the directory to load them from. The first that fits a request answers it. */
  scenarios: readonly ScenarioInput[] | string
  /** Default: silent. */
  logger?: ScriptedModelLogger
  delays?: Delays
}

/** An offline Messages API. */
export interface ScriptedModel {
  /** For a `node:http` server of one's own. */
  handler(req: IncomingMessage, res: ServerResponse): void
  /** Starts a server; by default on 127.0.0.1 and a free port. Rejects when the address can't be had. */
  listen(options?: ListenOptions): Promise<Listening>
  /** The last requests (at most 200 and 64 MB), newest last. */
  readonly requests: readonly RecordedRequest[]
  /**
   * The first request, on record or to come, that fits; it is asked again when the scenario is chosen and
   * when the answer ends. Rejects after `timeoutMs` (default 10,000).
   */
  waitForRequest(
    predicate: (request: RecordedRequest) => boolean,
    options?: { timeoutMs?: number },
  ): Promise<RecordedRequest>
  /** Forgets requests and counters. */
  reset(): void
}

function readScenarios(source: readonly ScenarioInput[] | string): Scenario[] {
  if (typeof source === 'string') return loadScenarios(source)
  return source.map((scenario) => validateScenario(scenario, scenario.name))
}

/** What a request gets that no scenario fits, when the given scenarios have no such answer. */
function defaultScenario(): Scenario[] {
  return loadScenarios(builtInScenarios).filter((scenario) => scenario.name === 'default')
}

function listScenarios(scenarios: readonly Scenario[]): string {
  return scenarios
    .flatMap(({ example, description }) =>
      example === undefined ? [] : [`- \`${example}\`: ${description}`],
    )
    .join('\n')
}

/**
 * Makes an offline Messages API that follows scenarios.
 * @throws {ScenarioError} when a scenario can't be used.
 */
export function createScriptedModel(options: ScriptedModelOptions): ScriptedModel {
  const own = readScenarios(options.scenarios)
  const record = createRequestRecord()
  const counters = createCounters(limits.counters)
  const settings = {
    scenarios: own.some((scenario) => !scenario.when) ? own : [...own, ...defaultScenario()],
    listing: listScenarios(own),
    counters,
    delays: { firstMs: 0, deltaMs: 0, scale: 1, ...options.delays },
  }
  let serial = 0
  const handler = (req: IncomingMessage, res: ServerResponse): void => {
    serial += 1
    void handleRequest(req, res, { settings, record, serial }).then((entry) => {
      const { method, path, model, scenario, outcome } = entry
      options.logger?.info({ method, path, model, scenario, outcome }, 'request')
    })
  }
  return {
    handler,
    listen: (where = {}) => listen(createServer(handler), where),
    requests: record.requests,
    waitForRequest: (predicate, { timeoutMs = 10_000 } = {}) => record.waitFor(predicate, timeoutMs),
    reset() {
      record.clear()
      counters.clear()
    },
  }
}
