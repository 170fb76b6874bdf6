import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { KnownValues } from '../secrets/known-values.ts'

/** Where requests to the model go. */
/** Sent to the scripted model, which checks none. No word of its messages: keys are blotted out in those. */
const noKey = 'the-scripted-model-needs-no-key'

export interface Upstream {
  baseUrl: string
  apiKey: string
}

/** Finds the upstream of each kind of session. */
export interface ModelSource {
  /** `live` as soon as there is a key; new sessions take it. */
  kind(): Promise<'live' | 'scripted'>
  /** Undefined: no key is set, so live sessions can't go on. */
  upstream(kind: 'live' | 'scripted'): Promise<Upstream | undefined>
}

/** The same, with keys that no log shows. */
export const withKnownKeys = (source: ModelSource, known?: KnownValues): ModelSource => ({
  kind: () => source.kind(),
  upstream: async (kind) => {
    const upstream = await source.upstream(kind)
    known?.know([upstream?.apiKey])
    return upstream
  },
})

const keyFile = z.object({
  apiKey: z.string().min(1).max(1000),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
})

const defaultApiUrl = 'https://api.anthropic.com'

export interface ModelSourceOptions {
  dataDir: string
  /** From the environment; counts before the stored one. */
  apiKey: string | undefined
  apiUrl: string | undefined
  /** Where the scripted model listens. */
  scriptedUrl: string
}

/** The key of the environment, or the one that `berth model-key set` stored, read again when its file changes. */
export const createModelSource = (options: ModelSourceOptions): ModelSource => {
  const file = join(options.dataDir, 'model-key.json')
  let cached: { stamp: string; value: z.infer<typeof keyFile> | undefined } | undefined

  const stored = async () => {
    const info = await stat(file).catch(() => undefined)
    if (info === undefined) return undefined
    const stamp = `${info.mtimeMs} ${info.size} ${info.ino}`
    if (cached?.stamp !== stamp) cached = { stamp, value: await readKey(file) }
    return cached.value
  }

  const live = async (): Promise<Upstream | undefined> => {
    if (options.apiKey !== undefined)
      return { apiKey: options.apiKey, baseUrl: options.apiUrl ?? defaultApiUrl }
    const key = await stored()
    if (key === undefined) return undefined
    return { apiKey: key.apiKey, baseUrl: key.baseUrl ?? options.apiUrl ?? defaultApiUrl }
  }

  return {
    kind: async () => ((await live()) === undefined ? 'scripted' : 'live'),
    upstream: async (kind) => (kind === 'live' ? live() : { baseUrl: options.scriptedUrl, apiKey: noKey }),
  }
}

const readKey = async (file: string) => {
  try {
    return keyFile.safeParse(JSON.parse(await readFile(file, 'utf8'))).data
  } catch {
    // A file that can't be read is as good as none: `berth doctor` says so, and the session shows `scripted`.
    return undefined
  }
}
