import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Answered } from './rights.ts'

/** What of a line of schemathesis' report is read: requests with their answers. */
const line = z.object({
  ScenarioFinished: z
    .object({
      recorder: z.object({
        interactions: z
          .record(
            z.string(),
            z.object({
              request: z.object({ method: z.string(), uri: z.string() }),
              response: z
                .object({
                  status_code: z.number(),
                  content: z.object({ $base64: z.string() }).nullish(),
                })
                .nullish(),
            }),
          )
          .default({}),
      }),
    })
    .optional(),
})

const problem = z.object({ code: z.string() })

const codeOf = (status: number, content: string | undefined): string | undefined => {
  if (status < 400 || content === undefined) return undefined
  try {
    return problem.safeParse(JSON.parse(Buffer.from(content, 'base64').toString())).data?.code
  } catch {
    return undefined
  }
}

/** Every answer in a report of schemathesis (NDJSON); those that never came are missing. */
export const readReport = async (file: string, url: string): Promise<Answered[]> => {
  const answers: Answered[] = []
  for await (const text of createInterface({ input: createReadStream(file) })) {
    const { ScenarioFinished: scenario } = line.parse(JSON.parse(text))
    for (const { request, response } of Object.values(scenario?.recorder.interactions ?? {})) {
      if (response === null || response === undefined) continue
      const { status_code: status, content } = response
      const address = request.uri.startsWith(url) ? request.uri.slice(url.length) : request.uri
      answers.push({ method: request.method, address, status, code: codeOf(status, content?.$base64) })
    }
  }
  return answers
}
