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
