import manifest from '../package.json' with { type: 'json' }

/** The version of this backend. */
export const version: string = manifest.version
