const prefix = 'base_'

/** Under which the blob store keeps the parts of one base pack: never used twice, so that its removal hits nothing else. */
export const newBaseScope = (random: Buffer): string => `${prefix}${random.toString('hex')}`

export const isBaseScope = (scope: string): boolean => scope.startsWith(prefix)
