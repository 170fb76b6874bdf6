import { z } from 'zod'

/** An amount as Kubernetes writes it, such as `500m`, `2`, `512Mi` or `10Gi`. */
export const quantity = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(
    z
      .string()
      .regex(
        /^[0-9]{1,15}(\.[0-9]{1,3})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/,
        'expected an amount such as 500m, 2 or 10Gi',
      ),
  )

/** A name that may be a DNS label. */
export const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected at most 63 lower-case letters, digits and dashes')

/** A name that may be a DNS subdomain, such as that of a class or a Secret. */
export const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'expected lower-case letters, digits, dots and dashes')

export const labelMap = z.record(z.string().min(1).max(317), z.string().max(63))

const units: Record<string, number> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** What an amount comes to; `1Gi` is 1073741824. */
export const amountOf = (text: string): number => {
  const [, number = '0', unit = ''] = /^([0-9.]+)(.*)$/.exec(text) ?? []
  return Number(number) * (units[unit] ?? 1)
}
