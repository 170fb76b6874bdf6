import { fieldOf, forward } from './kubectl.ts'

/** The value of a key of the chart's Secret. */
export const secretOf = async (namespace: string, key: string): Promise<string> =>
  Buffer.from(
    await fieldOf([`--namespace=${namespace}`, 'secret/berth'], `{.data.${key}}`),
    'base64',
  ).toString()

/** Calls the API as the owner, or with another token, by a way that is opened for that. */
export const call = async (
  namespace: string,
  path: string,
  options: { token?: string; body?: object } = {},
): Promise<{ status: number; text: string }> => {
  const token = options.token ?? (await secretOf(namespace, 'owner-token'))
  const way = await forward(namespace, 'berth', 7420)
  try {
    const answer = await fetch(`${way.url}${path}`, {
      method: options.body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.body && { 'content-type': 'application/json' }),
      },
      body: options.body && JSON.stringify(options.body),
    })
    return { status: answer.status, text: await answer.text() }
  } finally {
    await way.close()
  }
}
