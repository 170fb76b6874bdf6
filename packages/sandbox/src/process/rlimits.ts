import { readFileSync } from 'node:fs'
import type { EffectiveLimits } from '../limits.ts'

const NAMES = {
  cpu: 'Max cpu time',
  file: 'Max file size',
  data: 'Max data size',
  open: 'Max open files',
} as const

/** Hard limits in the text of `/proc/<pid>/limits`; Infinity when there is none. */
export function parseHardLimits(text: string): Record<keyof typeof NAMES, number> {
  const hard = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(name)) ?? ''
    const value = line.slice(name.length).trim().split(/\s+/)[1]
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)
  }
  return { cpu: hard(NAMES.cpu), file: hard(NAMES.file), data: hard(NAMES.data), open: hard(NAMES.open) }
}

/**
 * Shell text that sets the resource limits. A limit can't be raised over this process's own hard one, so the
 * lower of the two holds. `data` bounds the memory of each process, where no control group bounds the sum.
 */
export function ulimitScript(
  limits: Pick<EffectiveLimits, 'cpuSeconds' | 'fileBytes' | 'memoryBytes' | 'openFiles'>,
  withData: boolean,
): string {
  const hard = parseHardLimits(readFileSync('/proc/self/limits', 'utf8'))
  const lower = (a: number, b: number, unit: number): number => Math.floor(Math.min(a, b) / unit)
  return [
    'ulimit -c 0',
    `ulimit -f ${lower(limits.fileBytes, hard.file, 512)}`,
    `ulimit -n ${lower(limits.openFiles, hard.open, 1)}`,
    ...(limits.cpuSeconds === undefined ? [] : [`ulimit -t ${lower(limits.cpuSeconds, hard.cpu, 1)}`]),
    ...(withData ? [`ulimit -d ${lower(limits.memoryBytes, hard.data, 1024)}`] : []),
    '',
  ].join('\n')
}
