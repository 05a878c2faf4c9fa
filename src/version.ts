import manifest from '../package.json' with { type: 'json' }

/** Of Guts itself. */
export const VERSION: string = manifest.version
