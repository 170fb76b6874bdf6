import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { apiDocument } from './api-document.ts'

const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="40"><text x="0" y="28" font-family="system-ui, sans-serif" font-size="24" font-weight="600" fill="#fff">Berth API</text></svg>'

/** Hides what has no use here: there is one document, and nothing is sent from the page. */
const css = `.swagger-ui .download-url-wrapper, .swagger-ui .scheme-container { display: none !important }
.swagger-ui .topbar-wrapper { justify-content: space-between }`

/** The API's document as pages, at /docs. They only show it: nothing is sent from there. */
export const documentation = async (app: FastifyInstance): Promise<void> => {
  await app.register(swagger, { mode: 'static', specification: { document: apiDocument as never } })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      // The page sets styles of single elements.
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/docs', target: '_self' },
    theme: { title: 'Berth API', css: [{ filename: 'berth.css', content: css }] },
    uiConfig: { docExpansion: 'list', supportedSubmitMethods: [], validatorUrl: null },
  })
}
