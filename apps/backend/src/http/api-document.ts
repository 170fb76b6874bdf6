import { openApiDocument, routes } from '@berth/contract'
import { version } from '../version.ts'

/** The OpenAPI document of the API, made once for the process. */
export const apiDocument = openApiDocument(routes, version)

/** As it is sent. */
export const apiDocumentText = JSON.stringify(apiDocument)
