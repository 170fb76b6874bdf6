import type { EgressRule, EgressWhy } from '@berth/contract'
import { defaultPorts, type EgressTarget, type PathReadings, readPath, shortest } from './egress-target.ts'

export type EgressVerdict =
  | { allowed: true; rule: EgressRule }
  | { allowed: false; why: EgressWhy; message: string }

/** Whether the rules of a project let a request through, and by which of them: the first that fits. Pure. */
export const judgeEgress = (
  target: EgressTarget,
  method: string,
  { rules, project }: { rules: readonly EgressRule[]; project: string },
): EgressVerdict => {
  const ofHost = rules.filter((rule) => fitsPlace(rule, target))
  const ofMethod = ofHost.filter((rule) => methodsOf(rule).includes(method))
  const rule = ofMethod.find(({ paths }) => fitsPath(paths, target.readings))
  if (rule !== undefined) return { allowed: true, rule }
  const refuse = (why: EgressWhy, what: string, advice: string): EgressVerdict => ({
    allowed: false,
    why,
    message: `${what} An admin of the project can allow it: berth egress allow ${placeOf(target)} ${advice}--project ${project}`,
  })
  const scheme = target.scheme === 'http' ? '--scheme http ' : ''
  if (ofHost.length === 0)
    return refuse(
      'host',
      `The project ${project} lets sessions reach no ${placeOf(target)} by ${target.scheme}.`,
      scheme,
    )
  if (ofMethod.length === 0)
    return refuse(
      'method',
      `The project ${project} lets sessions ask ${placeOf(target)} by ${listed(ofHost.flatMap(methodsOf))} alone, not by ${method}.`,
      `${scheme}--method ${method} `,
    )
  return refuse(
    'path',
    target.readings.ambiguous
      ? `${target.url} can be read as more than one path, and the project ${project} allows only some of ${placeOf(target)}.`
      : `The project ${project} lets sessions ask ${placeOf(target)} for other paths than ${target.readings.sent} alone.`,
    `${scheme}--path … `,
  )
}

/** A host as it would stand in a rule. */
export const placeOf = ({ scheme, host, port }: Pick<EgressTarget, 'scheme' | 'host' | 'port'>): string =>
  port === defaultPorts[scheme] ? host : `${host}:${port}`

const methodsOf = ({ methods = ['GET', 'HEAD'] }: EgressRule): readonly string[] => methods

const listed = (names: readonly string[]): string => [...new Set(names)].join(', ')

const fitsPlace = ({ host, port, scheme = 'https' }: EgressRule, target: EgressTarget): boolean =>
  scheme === target.scheme &&
  (port ?? defaultPorts[scheme]) === target.port &&
  (host.startsWith('*.')
    ? target.host.length > host.length - 1 && target.host.endsWith(host.slice(1))
    : target.host === plain(host))

/** An address may be written in several ways. */
const plain = (host: string): string => new URL(`http://${host}/`).hostname

/** Both readings have to fit, so that it doesn't matter how a server reads it. */
const fitsPath = (
  paths: readonly string[] | undefined,
  { sent, decoded, ambiguous }: PathReadings,
): boolean => {
  if (paths === undefined) return true
  return (
    !ambiguous &&
    paths.some((path) => {
      const pattern = readPath(shortest(path))
      return pattern !== undefined && matches(pattern.sent, sent) && matches(pattern.decoded, decoded)
    })
  )
}

/** `*` is anything within a part, `**` anything at all; a pattern that ends in `/` is one for everything below. */
const matches = (pattern: string, path: string): boolean => {
  const parts = (pattern.endsWith('/') ? `${pattern}**` : pattern).split(/(\*\*|\*)/)
  const source = parts.map((part) => {
    if (part === '**') return '.*'
    return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`, 's').test(path)
}
