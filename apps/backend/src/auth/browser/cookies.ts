import type { CookieSerializeOptions } from '@fastify/cookie'
import { sha256 } from '../sha256.ts'

/**
 * A browser takes a cookie of this prefix only over https, for the whole site, from the site itself: none of another host of
 * the domain can put one there.
 */
const securePrefix = '__Host-'
const sessionCookie = 'berth_session'

/** The cookies of a browser over https, or over http on this machine. */
export const cookiesOf = (secure: boolean) => ({
  session: secure ? `${securePrefix}${sessionCookie}` : sessionCookie,
  /** Binds a sign-in that was begun to its browser; there may be one in each of its tabs. */
  signIn: (state: string) => `${secure ? securePrefix : ''}berth_sign_in_${sha256(state).slice(0, 12)}`,
  /** `lax`: also when a page of another site, such as the issuer's, has led here. */
  attributes: (sameSite: 'lax' | 'strict', maxAge: number): CookieSerializeOptions => ({
    httpOnly: true,
    sameSite,
    path: '/',
    maxAge,
    secure,
  }),
})
