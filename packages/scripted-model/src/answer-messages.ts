import { hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { auxiliaryAnswer } from './auxiliary.ts'
import { type Choice, choose, lookupIn } from './choose.ts'
import { type Conversation, readConversation } from './conversation.ts'
import type { Counters } from './counters.ts'
import type { IdMaker } from './ids.ts'
import { type MessagesRequest, readMessagesRequest } from './messages-request.ts'
import { buildReply } from './reply.ts'
import type { Answer, Scenario } from './scenario-schema.ts'
import { type Outcome, sendError, sendReply } from './send-reply.ts'
import { limitPause, type Pauses, strikeOf } from './strike.ts'
import { fillNumber, type Lookup } from './template.ts'
import type { InputSize } from './usage.ts'

/** Pauses for every answer, beside what the scenarios say; for tests and benches. */
export interface Delays {
  /** Milliseconds before each answer begins. Default 0. */
  firstMs?: number
  /** Milliseconds before each delta. Default 0. */
  deltaMs?: number
  /** Multiplies the pauses that scenarios ask for; 0 removes them. Default 1. */
  scale?: number
}

/** What all answers of one scripted model share. */
export interface AnswerSettings {
  scenarios: readonly Scenario[]
  /** The list of scenarios as `{{scenarios}}` shows it. */
  listing: string
  counters: Counters
  delays: Required<Delays>
}

/** One exchange on `POST /v1/messages`. */
export interface Exchange {
  res: ServerResponse
  raw: Buffer
  body: unknown
  ids: IdMaker
  gone: AbortSignal
  /** Told which scenario answers. */
  chosen(name: string): void
}

const knownModel = /claude|scripted/i

function inputSize(exchange: Exchange, request: MessagesRequest): InputSize {
  return {
    total: exchange.raw.length,
    last: request.lastMessageChars,
    cached: exchange.raw.includes('"cache_control"'),
    first: !request.messages.some((message) => message.role === 'assistant'),
  }
}

function attemptOf(choice: Choice, conversation: Conversation, counters: Counters): number {
  if (choice.answer.fault === undefined) return 1
  const { key, turn, prompt, answered } = conversation
  return counters.next([key, choice.scenario.name, turn, answered, hash('sha1', prompt)].join('|'))
}

function pausesOf(answer: Answer, delays: Required<Delays>, lookup: Lookup): Pauses {
  const scaled = (value: number | string | undefined) =>
    fillNumber(value ?? 0, lookup, Number.MAX_SAFE_INTEGER) * delays.scale
  return {
    first: limitPause(delays.firstMs + scaled(answer.pace?.first_ms)),
    each: limitPause(delays.deltaMs + scaled(answer.pace?.delay_ms)),
  }
}

/** Answers a valid request: an auxiliary one by itself, all others by their scenario. */
function answer(settings: AnswerSettings, exchange: Exchange, request: MessagesRequest): Promise<Outcome> {
  const conversation = readConversation(request)
  const auxiliary = auxiliaryAnswer(request, conversation)
  const choice = auxiliary === undefined ? choose(settings.scenarios, conversation) : undefined
  if (choice) exchange.chosen(choice.scenario.name)
  const content: Answer = choice?.answer ?? { text: auxiliary ?? settings.listing }
  const attempt = choice ? attemptOf(choice, conversation, settings.counters) : 1
  const lookup = lookupIn(conversation, {
    attempt: String(attempt),
    scenarios: settings.listing,
    ...choice?.captures,
  })
  return sendReply(exchange.res, {
    reply: buildReply(content, {
      model: request.model,
      maxTokens: request.maxTokens,
      thinking: request.thinking,
      input: inputSize(exchange, request),
      ids: exchange.ids,
      lookup,
    }),
    stream: request.stream,
    piece: content.pace?.piece ?? 40,
    pauses: pausesOf(content, settings.delays, lookup),
    strike: content.fault && strikeOf(content.fault, attempt, lookup),
    requestId: exchange.ids('req'),
    gone: exchange.gone,
  })
}

/**
 * Answers one request; a model that is neither a Claude nor scripted is unknown (404).
 * @throws {InvalidRequest} where the API answers 400.
 */
export async function answerMessages(settings: AnswerSettings, exchange: Exchange): Promise<Outcome> {
  const request = readMessagesRequest(exchange.body)
  if (!knownModel.test(request.model)) {
    const message = `model: ${request.model.slice(0, 200)}`
    return sendError(exchange.res, { status: 404, requestId: exchange.ids('req'), message })
  }
  return answer(settings, exchange, request)
}
