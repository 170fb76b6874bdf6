import { preview } from '../content.ts'
import { refusalKey } from '../events/egress.ts'
import { type Appliers, activeAt, dequeue, withSummary } from './edits.ts'
import type { SessionState } from './state.ts'

/** What changes the turn that runs: its blocks and requests. */
export const turnAppliers: Appliers = {
  'turn.started': (state, { data, at }) => {
    const { turn: current, queue, turns } = state.summary
    const again = current?.turn === data.turn ? current : undefined
    const queued = queue.find(({ prompt }) => prompt === data.prompt)
    return {
      ...withSummary(state, {
        turn: {
          turn: data.turn,
          prompt: data.prompt,
          promptSeq: data.promptSeq,
          sender: queued?.sender ?? current?.sender ?? state.summary.owner,
          attempt: data.attempt,
          losses: again?.losses ?? 0,
          startedAt: again?.startedAt ?? at,
          preview: queued?.preview ?? current?.preview ?? '',
          interrupting: false,
        },
        queue: dequeue(state, data.prompt),
        turns: data.attempt === 1 ? turns + 1 : turns,
        todos: again === undefined ? undefined : state.summary.todos,
      }),
      refusals: again === undefined ? [] : state.refusals,
      sender: queued?.sender ?? state.sender,
      activeAt: activeAt(state, at),
    }
  },
  'turn.paused': (state, { data }) =>
    state.summary.turn?.turn === data.turn
      ? withSummary(state, {
          turn: { ...state.summary.turn, paused: { reason: data.reason, message: data.message } },
        })
      : state,
  'turn.interrupt_requested': (state, { data }) =>
    state.summary.turn?.turn === data.turn
      ? withSummary(state, { turn: { ...state.summary.turn, interrupting: true } })
      : state,
  // An attempt that was given up may still tell its end: it says nothing about the one that runs.
  'turn.ended': (state, { data, at }) =>
    state.summary.turn?.turn === data.turn && state.summary.turn.attempt === data.attempt
      ? {
          ...withSummary(state, {
            turn: undefined,
            restarts: data.result === 'failed' ? state.summary.restarts : 0,
            lastTurn: {
              turn: data.turn,
              sender: state.summary.turn.sender,
              result: data.result,
              code: data.code,
              message: preview(data.message, 1000),
              endedAt: at,
            },
          }),
          activeAt: activeAt(state, at),
        }
      : state,
  'permission.requested': (state, { data, seq, at }) =>
    withSummary(state, {
      requests: [
        ...state.summary.requests,
        {
          request: data.request,
          kind: 'permission',
          turn: data.turn,
          title: data.tool,
          detail: data.detail,
          at,
          seq,
        },
      ],
    }),
  'question.asked': (state, { data, seq, at }) =>
    withSummary(state, {
      requests: [
        ...state.summary.requests,
        {
          request: data.request,
          kind: 'question',
          turn: data.turn,
          title: data.questions[0]?.header ?? 'Question',
          detail: preview(data.questions[0]?.question ?? '', 1000),
          at,
          seq,
        },
      ],
    }),
  'permission.decided': (state, { data, at }) => ({
    ...without(state, data.request),
    activeAt: activeAt(state, at),
  }),
  'question.answered': (state, { data, at }) => ({
    ...without(state, data.request),
    activeAt: activeAt(state, at),
  }),
  'request.cancelled': (state, { data }) => without(state, data.request),
  'request.withdrawn': (state, { data }) => without(state, data.request),
  'block.started': (state, { data }) => ({ ...state, openBlocks: [...state.openBlocks, data.block] }),
  'block.completed': (state, { data }) => closeBlock(state, data.block),
  'block.aborted': (state, { data }) => closeBlock(state, data.block),
  'egress.refused': (state, { data }) => ({ ...state, refusals: [...state.refusals, refusalKey(data)] }),
  'agent.todos': (state, { data }) =>
    withSummary(state, {
      todos: {
        completed: data.items.filter((item) => item.state === 'completed').length,
        total: data.items.length,
        current: data.items.find((item) => item.state === 'in-progress')?.text,
      },
    }),
}

const without = (state: SessionState, request: string): SessionState =>
  withSummary(state, { requests: state.summary.requests.filter((open) => open.request !== request) })

const closeBlock = (state: SessionState, block: string): SessionState => ({
  ...state,
  openBlocks: state.openBlocks.filter((open) => open !== block),
})
