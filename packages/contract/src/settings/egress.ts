import { z } from 'zod'
import { limits } from '../limits.ts'

/** Methods that may leave a sandbox. None that shows a request to whoever sent it (TRACE), none that opens a tunnel. */
export const egressMethod = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
export type EgressMethod = z.infer<typeof egressMethod>

const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?'
const names = new RegExp(`^(\\*\\.)?(${label}\\.)*${label}$`)
const dottedQuad = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/
const bracketed = /^\[[0-9a-f:]{2,39}\]$/

/** `localhost` and the like mean the sandbox itself; a name that ends in a number would be read as an address. */
const isHost = (host: string): boolean =>
  dottedQuad.test(host) ||
  bracketed.test(host) ||
  (names.test(host) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(host))

/**
 * The host of a rule: a name, an address, or `*.example.com` for every name below `example.com`, which itself is not among
 * them. In lower case; names of other scripts in the form `xn--…`.
 */
const egressHost = z
  .string()
  .min(1)
  .max(253)
  .toLowerCase()
  .refine(isHost, 'expected a host such as registry.npmjs.org, *.example.com or 192.0.2.7')

/** Says where a message ends or how a connection is used, or who sent it: the backend's own to say. */
const ownHeaders =
  /^(host|connection|content-(length|encoding)|transfer-encoding|accept-encoding|expect|keep-alive|proxy-.*|te|trailer|upgrade|via|forwarded|x-forwarded-.*|range|if-range)$/i

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,100}$/, 'expected a header name')
  .refine((name) => !ownHeaders.test(name), 'this header is set by Berth alone')

const headerValue = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, 'expected printable ASCII characters')

/** A path that a rule lets through: from `/`, `*` for anything within one part, `**` at the end or `/` there for all below. */
const egressPath = z
  .string()
  .max(500)
  .regex(
    /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/,
    'expected a path that begins with /, without a query',
  )
  .refine(
    (path) => !/(^|\/)\.{1,2}(\/|$)|\/\/|\*{3}/.test(path),
    'must not have the parts `.`, `..`, `//` or `***`',
  )

/** What sessions of a project may reach on the network; nothing else leaves the sandbox but git and the model. */
export const egressRule = z.strictObject({
  host: egressHost,
  /** Default: 443, or 80 with `http`. */
  port: z.number().int().min(1).max(65_535).optional(),
  /** Default: `https`. */
  scheme: z.enum(['https', 'http']).optional(),
  /** Default: GET and HEAD. */
  methods: z.array(egressMethod).min(1).max(7).optional(),
  /** Default: every path. */
  paths: z.array(egressPath).min(1).max(50).optional(),
  /** Headers that the backend adds, in place of the agent's own: a value may refer to secrets, as in `Bearer ${secret:NAME}`. */
  headers: z
    .record(headerName, headerValue)
    .refine((map) => Object.keys(map).length <= 20, 'at most 20 headers')
    .refine(
      (map) => new Set(Object.keys(map).map((name) => name.toLowerCase())).size === Object.keys(map).length,
      'a header twice',
    )
    .optional(),
})

export type EgressRule = z.infer<typeof egressRule>

/** Rules in their order: the first that fits counts. Empty: nothing may be reached. */
export const egressRules = z.array(egressRule).max(limits.egressRules)
