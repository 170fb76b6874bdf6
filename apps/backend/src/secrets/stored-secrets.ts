import { createHash, createHmac } from 'node:crypto'
import {
  type Actor,
  BerthError,
  makeId,
  type SealingKey,
  type Secret,
  type SecretInput,
} from '@berth/contract'
import type { Logger } from 'pino'
import { BoundedCache } from '../auth/bounded-cache.ts'
import { sha256 } from '../auth/sha256.ts'
import { hiderOf } from '../session/redact/hider.ts'
import type { Store } from '../store/port.ts'
import type { SealedSecret, SecretRow } from '../store/secret-store.ts'
import { beginningOf, type Cipher } from './cipher.ts'
import type { KeyRing } from './key-ring.ts'
import type { KnownValues } from './known-values.ts'
import { fillReferences, referencesIn } from './references.ts'
import { rekeyBrowsers } from './rekey-browsers.ts'
import type { AgentSecretValue, KnownSecrets, Secrets, SecretUse } from './secrets.ts'

export interface SecretsOptions {
  store: Store
  keys: KeyRing
  cipher: Cipher
  log: Logger
  /** What the log shows nothing of. */
  known?: KnownValues
  /** Milliseconds since 1970. */
  now: () => number
}

/** A use is noted once in this time. */
const usedMs = 3600_000
/** Projects whose opened values are remembered. */
const rememberedProjects = 200
const rememberedUses = 10_000

/** The secrets in the store. */
export class StoredSecrets implements Secrets {
  readonly #options: SecretsOptions
  /** By project, the last used at the end. Each belongs to a stamp, so that a change anywhere counts at once. */
  readonly #known = new Map<string, KnownSecrets>()
  /** Uses that were recorded in this hour. */
  readonly #recorded = new Set<string>()
  /** Values whose use was noted lately: git and the model use the same ones many times a minute. */
  readonly #noted: BoundedCache<true>

  constructor(options: SecretsOptions) {
    this.#options = options
    this.#noted = new BoundedCache({ max: rememberedUses, now: options.now })
  }

  /** By name, without their values. */
  async list(project: string): Promise<Secret[]> {
    return (await this.#options.store.secrets(project)).map((row) => this.#view(row))
  }

  /** Rejects with `project_not_found` or `too_many_secrets`. `store`: through which it is written. */
  async put(
    { project, name, setBy }: { project: string; name: string; setBy: Actor },
    { value, ...input }: SecretInput,
    store = this.#options.store,
  ): Promise<Secret> {
    const { cipher, keys, known, now } = this.#options
    known?.know([value], project)
    const row = await store.putSecret({
      ...{ ...input, project, name, setBy, keyId: keys.current, now: now() },
      fingerprint: fingerprint(keys, { project, name, value }),
      sealed: cipher.seal(value, contextOf({ project, name })),
      bytes: Buffer.byteLength(value),
    })
    return this.#view(row)
  }

  async value({ project, name, use, ...by }: SecretUse): Promise<string> {
    const sealed = await this.#options.store.sealedSecret(project, name)
    if (sealed === undefined)
      throw new BerthError('secret_not_found', `The project ${project} has no secret ${name}. Set it first.`)
    const value = this.#open(sealed)
    await this.#note({ project, name, use }, sealed)
    await this.#record({ project, name, use, ...by })
    return value
  }

  async fill(text: string, use: Omit<SecretUse, 'name'>): Promise<string> {
    const values = new Map<string, string>()
    for (const name of new Set(referencesIn(text))) values.set(name, await this.value({ ...use, name }))
    return values.size === 0 ? text : fillReferences(text, values)
  }

  async known(project: string): Promise<readonly string[]> {
    return ((await this.hidden(project))?.items ?? []).map(({ value }) => value)
  }

  async hidden(project: string, stamp?: number): Promise<KnownSecrets | undefined> {
    const { store } = this.#options
    const current = stamp ?? (await store.secretStamp(project))
    if (current === 0) return undefined
    const remembered = this.#known.get(project)
    const known = remembered?.stamp === current ? remembered : await this.#read(project)
    this.#known.delete(project)
    this.#known.set(project, known)
    for (const [oldest] of this.#known) if (this.#known.size > rememberedProjects) this.#known.delete(oldest)
    return known.items.length === 0 ? undefined : known
  }

  async hide(project: string, texts: readonly string[]): Promise<string[]> {
    const hider = hiderOf(await this.hidden(project))
    return texts.map((text) => hider?.whole(text) ?? text)
  }

  async environment({ project, ...use }: Omit<SecretUse, 'name' | 'use'>) {
    const variables = (await this.#options.store.secrets(project)).filter(
      ({ kind }) => kind === 'environment',
    )
    const entries = variables.map(
      async ({ name, variable = name }): Promise<[string, AgentSecretValue]> => [
        variable,
        { name, value: await this.value({ ...use, project, name, use: 'agent environment' }) },
      ],
    )
    return Object.fromEntries(await Promise.all(entries))
  }

  /** The keys with which values are sealed: secrets, and the issuer's tokens for browsers. */
  async keys(): Promise<SealingKey[]> {
    const { store, keys } = this.#options
    const counts = await store.sealedBy()
    for (const id of keys.ids) {
      const browsers = await store.browsersSealedBy(beginningOf(id))
      if (browsers > 0) counts.set(id, (counts.get(id) ?? 0) + browsers)
    }
    return [...new Set([...keys.ids, ...counts.keys()])].sort().map((id) => ({
      ...{ id, current: id === keys.current, present: keys.has(id) },
      values: counts.get(id) ?? 0,
    }))
  }

  /** Wraps up to `limit` values with the current key. It can be cut short anywhere and called again. */
  async rekey(
    limit: number,
    store = this.#options.store,
  ): Promise<{ done: number; left: number; unusable: number }> {
    const { cipher, keys } = this.#options
    let done = 0
    for (const id of keys.ids) {
      if (id === keys.current || done >= limit) continue
      const items = await store.secretsSealedBy(id, limit - done)
      const resealed = items.map((item) => ({
        ...item,
        ...{ resealed: cipher.rewrap(item.sealed, contextOf(item)), keyId: keys.current },
      }))
      done += await store.resealSecrets(resealed)
      done += await rekeyBrowsers({ store, cipher }, id, limit - done)
    }
    const others = (await this.keys()).filter(({ current }) => !current)
    const sum = (list: SealingKey[]) => list.reduce((total, { values }) => total + values, 0)
    return { done, left: sum(others), unusable: sum(others.filter(({ present }) => !present)) }
  }

  async #read(project: string): Promise<KnownSecrets> {
    const { stamp, items } = await this.#options.store.knownSecrets(project)
    const opened = items.flatMap((item) => {
      try {
        return [{ name: item.name, version: item.version, value: this.#open(item) }]
      } catch {
        // What can't be opened can't be hidden; nobody can use it either.
        return []
      }
    })
    if (opened.length < items.length)
      this.#options.log.warn({ project, unusable: items.length - opened.length }, 'secrets can’t be opened')
    return { project, stamp, items: opened }
  }

  /** Says in the list of secrets what one was used for. A value that was set anew has no use yet. */
  async #note({ project, name, use }: Pick<SecretUse, 'project' | 'name' | 'use'>, { sealed }: SealedSecret) {
    const { store, now } = this.#options
    const place = sha256(JSON.stringify([project, name, use, sealed]))
    if (this.#noted.get(place) !== undefined) return
    const at = now()
    await store.secretUsed({ project, name, usedFor: use, now: at, since: at - usedMs })
    this.#noted.set(place, true, at + usedMs)
  }

  /** One entry per secret, use, session and hour, whichever backends it is used by. */
  async #record({ project, name, use, session, actor }: SecretUse): Promise<void> {
    const { store, now } = this.#options
    const at = now()
    const hour = Math.floor(at / usedMs) * usedMs
    const place = JSON.stringify([project, name, use, session, hour])
    if (this.#recorded.has(place)) return
    const id = makeId('audit', hour, createHash('sha256').update(place).digest())
    const object = { kind: 'secret', id: name }
    const details = { use }
    await store.recordAudit({
      id,
      at,
      actor,
      action: 'secret.used',
      project,
      session,
      object,
      result: 'done',
      details,
    })
    this.#recorded.add(place)
    const [oldest] = this.#recorded
    if (this.#recorded.size > rememberedUses && oldest !== undefined) this.#recorded.delete(oldest)
  }

  #open(item: SealedSecret): string {
    try {
      const value = this.#options.cipher.open(item.sealed, contextOf(item))
      this.#options.known?.know([value], item.project)
      return value
    } catch (error) {
      const why = error instanceof Error ? error.message : 'It can’t be opened.'
      throw new BerthError('secret_unusable', `The secret ${item.name} can't be used. ${why} Set it anew.`)
    }
  }

  #view({ keyId, createdAt, setAt, usedAt, ...row }: SecretRow): Secret {
    const time = (ms: number) => new Date(ms).toISOString()
    return {
      ...row,
      visibleToAgent: row.kind === 'environment',
      usable: this.#options.keys.has(keyId),
      createdAt: time(createdAt),
      setAt: time(setAt),
      usedAt: usedAt === undefined ? undefined : time(usedAt),
    }
  }
}

/** What a sealed value is bound to: it opens nowhere else. */
const contextOf = ({ project, name }: { project: string; name: string }) => `secret ${project}/${name}`

/** Bound to its secret, so that equal values of two secrets look different, and by HMAC, so that nobody can try values. */
const fingerprint = (
  keys: KeyRing,
  { project, name, value }: { project: string; name: string; value: string },
): string =>
  createHmac('sha256', keys.derive('fingerprint'))
    .update(JSON.stringify([project, name, value]))
    .digest('base64url')
    .slice(0, 12)
