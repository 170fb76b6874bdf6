import type { BenchBackend } from './backend.ts'

/** Creates sessions and waits until each was given a runner. Gives the runners' tokens by session. */
export const launch = async (backend: BenchBackend, count: number): Promise<Record<string, string>> => {
  const target = `${backend.url}/api/projects/default/sessions`
  const headers = { ...backend.headers, 'content-type': 'application/json' }
  for (let i = 0; i < count; i += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, count - i) }, () =>
        fetch(target, { method: 'POST', headers, body: '{}' }).then((response) => response.arrayBuffer()),
      ),
    )
  for (;;) {
    const tokens = await backend.tokens()
    if (Object.keys(tokens).length >= count) return tokens
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A fact as a runner sends it. */
export const factOf = (n: number, type: string, data: object) => ({
  n,
  at: new Date().toISOString(),
  type,
  data,
})

/** Speaks for runners as long as it isn't stopped: without a sign of life they would be fenced out. */
export const keepAlive = async (
  { runnerUrl }: Pick<BenchBackend, 'runnerUrl'>,
  tokens: readonly string[],
): Promise<() => void> => {
  const post = async (token: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${runnerUrl}/runner/${path}`, {
      ...{ method: 'POST', headers, body: JSON.stringify(body) },
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    await answer.arrayBuffer()
  }
  const facts = [
    factOf(1, 'runner.started', { version: '1', sandbox: 'none' }),
    factOf(2, 'agent.ready', { model: 'scripted' }),
  ]
  await Promise.all(tokens.map((token) => post(token, 'facts', { generation: 1, facts })))
  const heart = setInterval(() => {
    for (const token of tokens) void post(token, 'heartbeat', {})
  }, 5000)
  return () => clearInterval(heart)
}
