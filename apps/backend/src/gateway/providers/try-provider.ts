import { type Actor, type ModelProviderSetting, type ModelProviderTest, preview } from '@berth/contract'
import { z } from 'zod'
import { parseJson } from '../../parse-json.ts'
import { withoutSecrets } from '../exchange.ts'
import { ModelProblem, type ModelProvider, type ModelRequest } from './provider.ts'
import type { Providers } from './providers.ts'
import { readStart } from './send.ts'

export interface Trial {
  project: string
  setting: ModelProviderSetting | undefined
  /** By Claude Code's name. */
  model: string
  actor: Actor
  now: () => number
}

type TriedKey = ModelProviderTest['keys'][number]

/** Milliseconds that a key is given. */
const patienceMs = 30_000

/** Asks with each key, at once, through the same code that answers agents. Undefined: there is no key at all. */
export const tryProvider = async (
  providers: Pick<Providers, 'of'>,
  trial: Trial,
): Promise<ModelProviderTest | undefined> => {
  const { setting, model: asked } = trial
  const alone = setting === undefined ? [{ name: 'platform', setting }] : keysOf(setting)
  const tried = await Promise.all(
    alone.map(async ({ name, setting: only }) => {
      const provider = await providers.of('live', { ...trial, setting: only })
      return provider && { provider, key: await tryKey(provider, name, trial) }
    }),
  )
  const found = tried.filter((one) => one !== undefined)
  if (found.length === 0) return undefined
  const keys = found.map(({ key }) => key)
  const works = found.find(({ key }) => key.ok)
  const models =
    works && setting?.kind !== 'bedrock' && setting?.kind !== 'vertex'
      ? await list(works.provider)
      : undefined
  return { provider: setting?.kind ?? 'platform', asked, ok: keys.every(({ ok }) => ok), keys, models }
}

/** The setting with one key at a time. */
const keysOf = (setting: ModelProviderSetting): { name: string; setting: ModelProviderSetting }[] =>
  setting.kind === 'anthropic'
    ? setting.keys.map((name) => ({ name, setting: { ...setting, keys: [name] } }))
    : [{ name: setting.credentials, setting }]

const request = (
  more: Pick<ModelRequest, 'endpoint' | 'method' | 'path'>,
  parsed?: Record<string, unknown>,
): ModelRequest => ({
  ...more,
  headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
  body: parsed && Buffer.from(JSON.stringify(parsed)),
  parsed,
  model: typeof parsed?.model === 'string' ? parsed.model : undefined,
})

const answered = z.object({ model: z.string() })
const refused = z.object({ error: z.object({ message: z.string() }) })

const tryKey = async (provider: ModelProvider, name: string, { model, now }: Trial): Promise<TriedKey> => {
  const started = now()
  const body = { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }
  const taken = () => ({ name, latencyMs: Math.max(0, Math.round(now() - started)) })
  const asked = request({ endpoint: 'messages', method: 'POST', path: '/v1/messages' }, body)
  try {
    const { status, body: bytes } = await provider.ask(asked, AbortSignal.timeout(patienceMs))
    const text = parseJson(await readStart(bytes))
    if (status === 200)
      return {
        ...taken(),
        ok: true,
        status,
        model: preview(answered.safeParse(text).data?.model ?? model, 200),
      }
    const said = refused.safeParse(text).data?.error.message ?? `It answered with status ${status}.`
    return { ...taken(), ok: false, status, ...wrong(provider, said), advice: adviceOf(status, name) }
  } catch (error) {
    const status = error instanceof ModelProblem ? error.status : 0
    const said = error instanceof Error ? error.message : String(error)
    return { ...taken(), ok: false, status, ...wrong(provider, said), advice: adviceOf(status, name) }
  }
}

const wrong = (provider: ModelProvider, message: string) => ({
  message: preview(withoutSecrets(message, provider), 2000),
})

const advice: Readonly<Record<number, (name: string) => string>> = {
  400: () =>
    'The provider does not take this request: check the name of the model, and the map of models in the setting.',
  401: (name) =>
    `The key is not accepted: check that ${name} holds it whole and that it is not revoked, and set it anew.`,
  403: (name) =>
    `The key is known, but not allowed to ask this model: give the account behind ${name} access to it.`,
  404: () =>
    'The provider does not know this model: choose another one, or map its name to the provider’s in the setting.',
  429: () =>
    'The account is at its limit: wait, or raise the limit at the provider. More keys share the load.',
}

const adviceOf = (status: number, name: string): string =>
  advice[status]?.(name) ??
  (status === 0
    ? 'Check the address in the setting, and that the secret is there; a private address has to be opened by whoever runs Berth.'
    : 'The provider has a problem of its own: try again later.')

const page = z.object({ data: z.array(z.object({ id: z.string().max(200) })).max(1000) })

/** The models that the provider lists; undefined when it has no such list. */
const list = async (provider: ModelProvider): Promise<string[] | undefined> => {
  const asked = request({ endpoint: 'models', method: 'GET', path: '/v1/models?limit=1000' })
  try {
    const { status, body } = await provider.ask(asked, AbortSignal.timeout(patienceMs))
    const found = page.safeParse(parseJson(await readStart(body))).data
    return status === 200 ? found?.data.map(({ id }) => id) : undefined
  } catch {
    // The keys were tried already; a list is more than was asked for.
    return undefined
  }
}
