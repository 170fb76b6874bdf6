import { z } from 'zod'
import { route } from './route.ts'

/** The ways in which somebody can sign in here. */
export const signInWays = z.object({
  /** An OpenID Connect issuer knows people. */
  oidc: z
    .object({
      issuer: z.string(),
      /** The client of `berth login`; missing: command lines sign in with keys only. */
      cliClientId: z.string().optional(),
      scopes: z.array(z.string()),
    })
    .optional(),
  /** The audience of Kubernetes tokens that the API takes. */
  kubernetes: z.object({ audience: z.string() }).optional(),
})

export type SignInWays = z.infer<typeof signInWays>

/** What an issuer sends along when a browser comes back; others that it may send are ignored. */
const callbackQuery = z.object({
  state: z.string().max(200),
  code: z.string().max(4000).optional(),
  iss: z.string().max(2000).optional(),
  error: z.string().max(200).optional(),
  error_description: z.string().max(2000).optional(),
})

export const signInRoutes = {
  getSignIn: route({
    method: 'GET',
    path: '/api/sign-in',
    role: 'public',
    tag: 'Sign-in',
    summary: 'The ways in which one can sign in here',
    response: { status: 200, body: signInWays },
  }),
  createLoginLink: route({
    method: 'POST',
    path: '/api/login-links',
    role: 'platform-admin',
    tag: 'Sign-in',
    summary: 'Make a link that signs a browser of the owner in, once: with the owner token only',
    response: { status: 201, body: z.object({ path: z.string(), expiresAt: z.iso.datetime() }) },
    idempotent: false,
  }),
  login: route({
    method: 'GET',
    path: '/login',
    role: 'public',
    tag: 'Sign-in',
    summary: 'Sign a browser in: by the ticket of a login link, or at the issuer; then to the page',
    query: z.object({
      ticket: z.string().max(200).optional(),
      /** A path of this site to go to afterwards; anything else is ignored. */
      return_to: z.string().max(2000).optional(),
    }),
    response: { status: 302 },
    errors: ['unauthenticated', 'storage_full', 'too_many_attempts'],
  }),
  finishLogin: route({
    method: 'GET',
    path: '/login/callback',
    role: 'public',
    tag: 'Sign-in',
    summary: 'Where the issuer sends a browser back to: sets the cookie and goes to the page',
    query: callbackQuery,
    response: { status: 302 },
    errors: ['unauthenticated', 'storage_full', 'too_many_attempts'],
  }),
  signedOut: route({
    method: 'GET',
    path: '/login/signed-out',
    role: 'public',
    tag: 'Sign-in',
    summary: 'Where the issuer sends a browser that has signed out',
    response: { status: 302 },
  }),
  logoutByIssuer: route({
    method: 'POST',
    path: '/api/backchannel-logout',
    role: 'public',
    tag: 'Sign-in',
    summary: 'Where the issuer tells that it has ended sessions (OpenID Connect Back-Channel Logout)',
    takes: 'form',
    body: z.object({ logout_token: z.string().min(1).max(20_000) }),
    bodyLimit: 32_768,
    response: { status: 200, body: z.object({}) },
  }),
  logout: route({
    method: 'POST',
    path: '/api/logout',
    role: 'principal',
    tag: 'Sign-in',
    summary: 'Sign this browser out',
    response: {
      status: 200,
      /** Where the browser can go so that the issuer signs it out too. */
      body: z.object({ issuer: z.string().optional() }),
    },
    idempotent: false,
  }),
} as const
