import { styleText } from 'node:util'

const formats = ['bold', 'dim', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'inverse'] as const

type Format = (typeof formats)[number]

/** Wraps text in a style, or leaves it as it is where styles are off. */
export type Style = Record<Format, (text: string) => string>

export const createStyle = (on: boolean): Style => {
  const wrap = (format: Format) => (text: string) =>
    on ? styleText(format, text, { validateStream: false }) : text
  return Object.fromEntries(formats.map((format) => [format, wrap(format)])) as Style
}

export const plain: Style = createStyle(false)

/** Whether to use colours: NO_COLOR (not empty) says no, FORCE_COLOR (not 0) yes, else only on a capable terminal. */
export const wantsColour = (env: NodeJS.ProcessEnv, isTty: boolean): boolean => {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return isTty && env.TERM !== 'dumb'
}
