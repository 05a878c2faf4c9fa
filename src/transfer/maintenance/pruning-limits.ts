const MEBIBYTE = 2 ** 20

/** What makes a node put apart, by itself, what no ref reaches any more. */
export const PRUNING_LIMITS = {
  unreachable_bytes: {
    value: MEBIBYTE,
    unit: 'bytes',
    description: 'Stored bytes that no ref reaches any more, before maintenance puts them apart by itself.',
  },
  unreachable_percent: {
    value: 10,
    unit: undefined,
    description: 'So much of all that is stored these must be, in percent, as it is all written anew.',
  },
} as const satisfies Record<string, { value: number; unit: 'bytes' | undefined; description: string }>

export interface PruneFigures {
  /** Packs that hold what refs reach, and were looked at; packs of what they do not reach. */
  readonly packs: { readonly ordinary: number; readonly cruft: number }
  /** Of entries in ordinary packs. */
  readonly ordinaryBytes: number
  /** Seen for the first time not to be reached. */
  readonly newly: { readonly objects: number; readonly bytes: number }
  /** Lie among what is not reached, and are reached again. */
  readonly returned: number
  /** Have lain there for longer than the grace. */
  readonly gone: { readonly objects: number; readonly bytes: number }
}

/** `all`: everything that an operator can have; `needed`: what pays by itself. */
export type PruneAim = 'all' | 'needed'

/** Which packs are written anew: those that refs reach as well, or only those of what they do not. */
export type PruneScope = 'both' | 'cruft' | 'none'

export function scopeOf({ packs, ordinaryBytes, newly, returned, gone }: PruneFigures, aim: PruneAim): PruneScope {
  if (aim === 'all') {
    if (packs.ordinary > 1 || newly.objects > 0 || returned > 0) return 'both'
    return gone.objects > 0 || packs.cruft > 1 ? 'cruft' : 'none'
  }
  const { unreachable_bytes: bytes, unreachable_percent: percent } = PRUNING_LIMITS
  if (newly.bytes >= Math.max(bytes.value, (ordinaryBytes * percent.value) / 100)) return 'both'
  return gone.objects > 0 ? 'cruft' : 'none'
}
