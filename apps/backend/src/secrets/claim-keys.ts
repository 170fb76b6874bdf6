import type { Logger } from 'pino'
import type { Store } from '../store/port.ts'
import { beginningOf } from './cipher.ts'
import type { KeyRing } from './key-ring.ts'

export interface ClaimOptions {
  store: Store
  keys: KeyRing
  log: Logger
  /** Keys that are gone for good: what they sealed has to be set anew. */
  lost?: readonly string[]
}

/**
 * Compares the keys with those that the database knows, and notes new ones. Rejects when an id stands for another key than
 * before, when values need a key that is missing, or when backends that share a database have different keys: nothing that
 * was sealed is ever written over.
 */
export const claimKeys = async ({ store, keys, log, lost = [] }: ClaimOptions): Promise<void> => {
  const counts = await store.sealedBy()
  const missing = [...counts.keys()].filter((id) => !keys.has(id))
  const refused = missing.filter((id) => !lost.includes(id))
  if (refused.length > 0)
    throw new Error(
      `${refused.map((id) => `${counts.get(id)} values of secrets are sealed with the key ${id}`).join(', ')}, which is not in the key file. Put it back: into the file of BERTH_KEYS_FILE, or keys.json in the data directory. If it is gone for good, start with BERTH_LOST_KEYS=${missing.join(',')} and set these secrets anew.`,
    )
  if (missing.length > 0) log.error({ keys: missing }, 'secrets were sealed with keys that are lost')
  const checks = Object.fromEntries(keys.ids.map((id) => [id, keys.check(id)]))
  const shared = store.kind !== 'sqlite' && lost.length === 0
  const known = await store.claimKeys({ checks, shared })
  const changed = keys.ids.filter((id) => known[id] !== undefined && known[id] !== checks[id])
  if (changed.length > 0)
    throw new Error(
      `The key file holds other keys than before under ${changed.join(', ')}. Give a new key a new id, and leave the old one in the file.`,
    )
  const ids = Object.keys(known)
  if (shared && ids.length > 0 && !ids.some((id) => keys.has(id)))
    throw new Error(
      `Other backends of this database use the keys ${ids.join(', ')}; this one has none of them. Give all of them the same key file with BERTH_KEYS_FILE.`,
    )
  // People can sign in again, so a key is not kept for that; without it nobody could ask their issuer or sign them out there.
  const ended = await store.endBrowsersSealedOtherwise(keys.ids.map(beginningOf))
  if (ended > 0)
    log.warn(
      { browsers: ended },
      'Browsers were signed out: the key that sealed their tokens is not in the key file',
    )
}
