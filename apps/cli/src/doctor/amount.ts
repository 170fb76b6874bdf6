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

/** What an amount of Kubernetes comes to: `500m` is 0.5, `1Gi` is 1073741824. */
export const amountOf = (text: string): number => {
  const [, number = '0', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? []
  return Number(number) * (units[unit] ?? 1)
}
