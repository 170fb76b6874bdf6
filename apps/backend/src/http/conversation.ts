import { routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** What people say to the agent: prompts, permissions, answers. */
export const conversationEndpoints = (
  app: FastifyInstance,
  { service, standing }: Deps,
  options: EndpointOptions,
): void => {
  const serve = endpoint(app, options)

  serve(routes.createPrompt, async ({ params, body, principal, idempotency, audit }) => {
    await standing.note(principal)
    const prompt = service.newId('prompt')
    const content = await service.storePrompt(params, body.content)
    const command = { kind: 'prompt', actor: principal.actor, prompt, content } as const
    const {
      summary,
      first,
      position,
      prompt: stored,
    } = await service.run({ ...params, idempotency, command, audit })
    return `{"prompt":${JSON.stringify(stored ?? prompt)},"seq":${first},"position":${position},"session":${summary}}`
  })

  serve(routes.withdrawPrompt, async ({ params, principal, audit }) => {
    const { prompt, ...session } = params
    const { summary } = await service.run({
      ...session,
      audit,
      command: { kind: 'withdraw', actor: principal.actor, prompt },
    })
    return summary
  })

  serve(routes.decidePermission, async ({ params, body, principal, idempotency, audit }) => {
    const { request, ...session } = params
    const command = { kind: 'decide', actor: principal.actor, request, decision: body } as const
    return (await service.run({ ...session, idempotency, command, audit })).summary
  })

  serve(routes.answerQuestion, async ({ params, body, principal, idempotency, audit }) => {
    const { request, ...session } = params
    const command = { kind: 'answer', actor: principal.actor, request, answers: body.answers } as const
    return (await service.run({ ...session, idempotency, command, audit })).summary
  })
}
