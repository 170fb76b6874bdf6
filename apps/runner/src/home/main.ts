import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { openDirectHome } from './direct-home.ts'
import { homeCalls, homeRequest } from './home-calls.ts'

/**
 * Does for the runner what only the agent's user can: runs in the sandbox without a door, as that user, for as long as the
 * runner does. Argument: the agent's home. Requests come and answers go by lines of JSON.
 */
const main = async ([directory = '']: readonly string[]): Promise<void> => {
  const home = openDirectHome(directory)
  const answer = async (line: string): Promise<object> => {
    const { id, call, args } = homeRequest.parse(JSON.parse(line))
    try {
      const { args: form, result } = homeCalls[call] as { args: z.ZodType; result: z.ZodType }
      const does = home[call] as (...given: unknown[]) => Promise<unknown>
      return { id, result: result.encode(await does(...(form.decode(args) as unknown[]))) }
    } catch (error) {
      return { id, error: (error instanceof Error ? error.message : String(error)).slice(0, 1000) }
    }
  }
  for await (const line of createInterface({ input: process.stdin }))
    await answer(line).then((told) => process.stdout.write(`${JSON.stringify(told)}\n`))
}

await main(process.argv.slice(2))
