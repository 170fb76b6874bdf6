import { browserContext } from '../auth/browser/kept-tokens.ts'
import type { Store } from '../store/port.ts'
import { beginningOf, type Cipher } from './cipher.ts'

interface Parts {
  store: Pick<Store, 'sealedBrowsers' | 'resealBrowsers'>
  cipher: Cipher
}

/** Wraps the issuer's tokens of up to `limit` browsers with the current key, as `StoredSecrets.rekey` does secrets. How many. */
export const rekeyBrowsers = async (
  { store, cipher }: Parts,
  keyId: string,
  limit: number,
): Promise<number> => {
  const items = limit > 0 ? await store.sealedBrowsers(beginningOf(keyId), limit) : []
  const resealed = items.map(({ hash, sealed }) => ({
    ...{ hash, sealed },
    resealed: cipher.rewrap(sealed, browserContext(hash)),
  }))
  return items.length === 0 ? 0 : store.resealBrowsers(resealed)
}
