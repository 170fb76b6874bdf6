import type { Fields } from '../fields.ts'
import type { MessageContext } from './context.ts'

/** Turns one kind of message into facts. The message's fields are not trusted. */
export type MessageHandler = (message: Fields, context: MessageContext) => void

/** For kinds that say nothing a person or the runner needs; the reason is for the reader of the table. */
export const silent =
  (_reason: string): MessageHandler =>
  () => {}
