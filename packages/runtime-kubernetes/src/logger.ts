/** What the adapter tells the operator; pino's loggers are of this form. */
export interface Logger {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

export const silent: Logger = { info: () => undefined, warn: () => undefined }
