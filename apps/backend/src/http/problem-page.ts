import type { Problem } from '@berth/contract'
import type { FastifyRequest } from 'fastify'

/** A browser asks for a page, not a program for data. */
export const wantsPage = ({ method, url, headers }: FastifyRequest): boolean =>
  method === 'GET' && !url.startsWith('/api/') && (headers.accept ?? '').includes('text/html')

/** What a page of ours may load: nothing but its own style. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** A problem as a page for the person at a browser. */
export const problemPage = ({ title, detail, code, requestId }: Problem): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Berth</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1.25rem }
h1 { font-size: 1.4rem }
code { font-family: ui-monospace, monospace }
footer { margin-top: 2.5rem; font-size: .85rem; opacity: .7 }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${linked(escaped(detail))}</p>
<p>The owner signs a browser in with <code>npx berth open</code>. The API’s documentation: <a href="/docs">/docs</a>.</p>
<footer>${escaped(code)}, request ${escaped(requestId)}</footer>
</body>
</html>
`

/** The one address of ours that details name for people. */
const linked = (html: string): string => html.replace(/(?<=: )\/login$/, '<a href="/login">/login</a>')

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char] ?? char)
