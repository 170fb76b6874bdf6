import type { Logger } from 'pino'

/** Where the runner tells its operator what it does: never prompts, answers, secrets or file contents. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>
