import { type RateClass, rateClasses } from '@berth/contract'

/** Requests of one principal in ten seconds, by class; 0: no limit. Each backend counts for itself. */
export type RateLimits = Readonly<Record<RateClass, number>>

export const usualRateLimits: RateLimits = { read: 2000, write: 300, expensive: 60 }

/** Reads `read=2000`, `write=300` and so on, on top of the usual ones. Throws an Error for anything else. */
export const parseRateLimits = (items: readonly string[]): RateLimits => {
  const given = items.map((item) => {
    const [, name, count] = /^(\w+)=(\d{1,7})$/.exec(item) ?? []
    const known = rateClasses.find((one) => one === name)
    if (known === undefined)
      throw new Error(
        `expected entries such as read=${usualRateLimits.read}, with one of ${rateClasses.join(', ')}; not ${item}`,
      )
    return [known, Number(count)]
  })
  return { ...usualRateLimits, ...Object.fromEntries(given) }
}
