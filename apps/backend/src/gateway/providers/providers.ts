import type { Actor, ModelProviderSetting } from '@berth/contract'
import type { Agent } from 'undici'
import type { Outbound } from '../../outbound/outbound.ts'
import { anyAddress } from '../../outbound/private-hosts.ts'
import { systemActor } from '../../session/service.ts'
import type { ModelSource } from '../model-source.ts'
import { AnthropicProvider } from './anthropic.ts'
import { BedrockProvider } from './bedrock.ts'
import { GoogleTokens } from './google-tokens.ts'
import { KeyRest } from './key-rest.ts'
import type { ModelProvider } from './provider.ts'
import { VertexProvider } from './vertex.ts'

/** For whom a secret is read. */
export interface SecretReader {
  project: string
  name: string
  use: string
  session?: string
  actor: Actor
}

export interface ProvidersOptions {
  /** What the platform has. */
  source: ModelSource
  /** The value of a project's secret. Rejects with `secret_not_found` or `secret_unusable`. */
  secret: (use: SecretReader) => Promise<string>
  outbound: Pick<Outbound, 'agent' | 'ask'>
  /** Projects without a provider of their own that may use the platform's key. */
  platformKeyProjects: 'all' | readonly string[]
  now: () => number
}

export interface ProviderUse {
  project: string
  /** Missing: it is a test. */
  session?: string
  /** Who asks. Default: the gateway. */
  actor?: Actor
  /** What the project sets. */
  setting: ModelProviderSetting | undefined
}

/** Finds who answers the model requests of a project: its own provider, or what the platform has. */
export class Providers {
  readonly #options: ProvidersOptions
  readonly #rest = new KeyRest()
  readonly #tokens: GoogleTokens
  /** For addresses that projects name, and for those that the operator does. */
  readonly #guarded: Agent
  readonly #trusted: Agent

  constructor(options: ProvidersOptions) {
    this.#options = options
    this.#tokens = new GoogleTokens(options)
    // A model may think for long before it says a word, and between two.
    const patience = { headersMs: 0, idleMs: 0 }
    this.#guarded = options.outbound.agent(patience)
    this.#trusted = options.outbound.agent({ ...patience, reach: anyAddress })
  }

  /** What new sessions of a project ask: `live` as soon as it or the platform has a key for it. */
  async kindOf(project: string, setting: ModelProviderSetting | undefined): Promise<'live' | 'scripted'> {
    if (setting !== undefined) return 'live'
    return this.#mayUsePlatform(project) ? this.#options.source.kind() : 'scripted'
  }

  /** Undefined: the project has none, and the platform has no key for it. */
  async of(kind: 'live' | 'scripted', use: ProviderUse): Promise<ModelProvider | undefined> {
    if (kind === 'live' && use.setting !== undefined) return this.#ofProject(use.setting, use)
    if (kind === 'live' && !this.#mayUsePlatform(use.project)) return undefined
    const upstream = await this.#options.source.upstream(kind)
    if (upstream === undefined) return undefined
    const keys = [{ id: `platform ${kind}`, value: async () => upstream.apiKey }]
    return new AnthropicProvider({
      ...{ url: upstream.baseUrl, header: 'x-api-key', keys },
      ...{ rest: this.#rest, agent: this.#trusted, now: this.#options.now },
    })
  }

  #mayUsePlatform(project: string): boolean {
    const { platformKeyProjects } = this.#options
    return platformKeyProjects === 'all' || platformKeyProjects.includes(project)
  }

  #ofProject(setting: ModelProviderSetting, use: ProviderUse): ModelProvider {
    const { now } = this.#options
    const agent = this.#guarded
    switch (setting.kind) {
      case 'anthropic': {
        const keys = setting.keys.map((name) => ({
          id: `${use.project}/${name}`,
          value: this.#reader(name, use),
        }))
        return new AnthropicProvider({ ...setting, keys, rest: this.#rest, agent, now })
      }
      case 'bedrock':
        return new BedrockProvider({
          setting,
          credentials: this.#reader(setting.credentials, use),
          agent,
          now,
        })
      case 'vertex': {
        const credentials = this.#reader(setting.credentials, use)
        return new VertexProvider({ setting, credentials, tokens: this.#tokens, agent })
      }
    }
  }

  #reader(
    name: string,
    { project, session, actor = systemActor('gateway') }: ProviderUse,
  ): () => Promise<string> {
    return () => this.#options.secret({ project, name, use: 'model gateway', session, actor })
  }
}
